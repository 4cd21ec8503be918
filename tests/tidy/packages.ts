/**
 * What the package may import from outside: nothing but Node, so that it installs alone. The command
 * line has packages of its own, which are optional.
 *
 * @module
 */
import { isBuiltin } from 'node:module'
import { edgesOf, publicDoors, type Edge } from './imports.js'
import { isLibrary, isTestCode, type Tree, type Violation } from './tree.js'

/** Packages that a user may have installed, by the one file that loads them, and only when it is asked to. */
const optionalPeers: Readonly<Record<string, string>> = { koffi: 'src/os/koffi.ts' }

/** Whatever the exports of package.json reach is the library itself or Node. */
export async function checkLibraryGraph(tree: Tree): Promise<Violation[]> {
  const edges = await edgesOf(tree)
  const violations: Violation[] = []
  const reached = new Set<string>()
  const queue = [...publicDoors(tree).values()]
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue
    reached.add(file)
    if (!isLibrary(file) || !tree.has(file)) {
      const message = `package.json exports ${file}, which is no file of the library`
      violations.push({ file: 'package.json', line: 1, message })
    }
    for (const edge of edges.filter(({ from }) => from === file)) {
      const message = strange(edge)
      if (message !== null) violations.push({ file, line: edge.line, message })
      else if (edge.to !== null) queue.push(edge.to)
    }
  }
  return violations
}

function strange({ from, to, specifier, kind }: Edge): string | null {
  if (to?.startsWith('src/cli/')) return `the library must not import the command line: ${to}`
  if (to !== null) return null
  if (specifier.startsWith('node:') && isBuiltin(specifier)) return null
  if (isBuiltin(specifier))
    return `write 'node:${specifier}', which no package can take the place of`
  if (optionalPeers[specifier] === from && kind !== 'static') return null
  return `the library has no dependencies: do without '${specifier}', or use it under src/cli/`
}

const isInSource = (path: string): boolean => path.startsWith('src/')

/** Packages are imported under src/cli/ only, and only those that package.json names. */
export async function checkPackages(tree: Tree): Promise<Violation[]> {
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    tree.get('package.json') ?? '{}',
  ) as Record<string, Record<string, string> | undefined>
  const declared = new Set(Object.keys({ ...dependencies, ...optionalDependencies }))
  const violations: Violation[] = []
  for (const { from, to, line, specifier, kind } of await edgesOf(tree, isInSource)) {
    if (to !== null || /^[.#]|^node:/.test(specifier) || isBuiltin(specifier)) continue
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
    const add = (message: string): number => violations.push({ file: from, line, message })
    if (!from.startsWith('src/cli/')) {
      const peer = optionalPeers[name] === from && kind !== 'static'
      const ofTests = isTestCode(from) && !declared.has(name)
      if (!peer && !ofTests)
        add(`'${name}' may be imported under src/cli/ only: do without it here`)
    } else if (!declared.has(name) && !isTestCode(from)) {
      add(`users do not get '${name}': add it to optionalDependencies of package.json`)
    }
  }
  return violations
}
