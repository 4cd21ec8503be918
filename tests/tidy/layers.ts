/**
 * The layers of src/ and the doors between its folders.
 *
 * @module
 */
import { edgesOf, publicDoors, type Edge } from './imports.js'
import { foldersOf, isTestCode, type Tree, type Violation } from './tree.js'

/** A folder of src/ that is a layer, and the folders it may import. */
const layers: Readonly<Record<string, readonly string[]>> = {
  os: [],
  ring: ['os'],
  carry: [],
  worker: ['carry', 'os'],
  wq: ['ring', 'worker', 'carry', 'os'],
  virtio: ['os'],
  vhost: ['virtio', 'worker', 'os'],
  devices: ['vhost', 'virtio', 'worker', 'os'],
  testing: ['vhost', 'virtio', 'os'],
  cli: ['testing', 'devices', 'vhost', 'virtio', 'wq', 'worker', 'carry', 'ring', 'os'],
}

/** The files in src/ itself, and what they may import; each folder may import errors.ts and validate.ts. */
const rootFiles: Readonly<Record<string, (to: string) => boolean>> = {
  'src/errors.ts': () => false,
  'src/validate.ts': (to) => to === 'src/errors.ts' || to === 'src/os/clock.ts',
  'src/index.ts': (to) => topOf(to) !== 'cli',
  'src/vhost.ts': (to) => ['vhost', 'virtio', 'devices'].includes(topOf(to)),
  'src/entry.ts': (to) => ['worker', 'wq'].includes(topOf(to)),
}

/** What threads load for themselves, and no other module imports but the one that bundles it. */
const threadEntries = new Set(['src/worker/entry.ts', 'src/wq/entry.ts'])
const bundleOfEntries = 'src/entry.ts'
/** A folder's other door, for what runs in the threads of workers. */
const threadDoors = new Set(['src/worker/thread-side.ts'])
const forAll = new Set(['src/errors.ts', 'src/validate.ts'])

const memoryDoor = '#memory'
const memoryFile = 'src/os/memory.ts'
const memoryUsers = ['os', 'ring', 'worker', 'wq', 'virtio', 'vhost', 'devices']

/**
 * Imports go down only, from a layer to those it is built on.
 *
 * Tests, contracts and fixtures obey the layer they lie in; beside that they may take the package's own
 * door, `#memory`, and fixtures from anywhere.
 */
export async function checkLayers(tree: Tree): Promise<Violation[]> {
  const violations = unknownPlaces(tree)
  for (const edge of await edgesOf(tree, (path) => path.startsWith('src/'))) {
    const message = wrongLayer(edge)
    if (message !== null) violations.push({ file: edge.from, line: edge.line, message })
  }
  return violations
}

/** A folder is entered through its index.ts, or its door for threads; os/ is a set of doors, each file one. */
export async function checkDoors(tree: Tree): Promise<Violation[]> {
  const open = new Set(publicDoors(tree).values())
  const violations: Violation[] = []
  for (const { from, to, line, specifier } of await edgesOf(tree, (path) =>
    path.startsWith('src/'),
  )) {
    if (to === null || !to.startsWith('src/') || isTestToTest(from, to)) continue
    if (!/^\.{1,2}\//.test(specifier)) continue // a name of the package's own leads through a door
    const folder = entered(from, to)
    if (folder === null || folder === 'src/os' || to === `${folder}/index.ts`) continue
    if (threadDoors.has(to)) continue
    if (from === bundleOfEntries && threadEntries.has(to)) continue
    const message = open.has(to)
      ? `${to} is a door for users of the package only: import it by the name they use`
      : `${to} is no door: import from ${folder}/index.ts, and export there what is needed`
    violations.push({ file: from, line, message })
  }
  return violations
}

/** No file imports itself, by whatever detour. Threads load their entry anew, so a URL closes no cycle. */
export async function checkCycles(tree: Tree): Promise<Violation[]> {
  const next = new Map<string, Edge[]>()
  for (const edge of await edgesOf(tree, (path) => path.startsWith('src/'))) {
    if (edge.kind === 'url' || edge.to === null) continue
    next.set(edge.from, [...(next.get(edge.from) ?? []), edge])
  }
  const violations: Violation[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    for (const { to, line } of next.get(file) ?? []) {
      if (to === null || done.has(to)) continue
      const start = [...path, file].indexOf(to)
      if (start < 0) visit(to, [...path, file])
      else {
        const cycle = [...path, file].slice(start).concat(to).join(' → ')
        const message = `a cycle of imports: ${cycle}. Move what both need to a file below both`
        violations.push({ file, line, message })
      }
    }
    done.add(file)
  }
  for (const file of next.keys()) if (!done.has(file)) visit(file, [])
  return violations
}

/** Folders and files of src/ that no rule knows. */
function unknownPlaces(tree: Tree): Violation[] {
  const folders = foldersOf(tree).filter((folder) => /^src\/[^/]+$/.test(folder))
  const files = [...tree.keys()].filter((path) => /^src\/[^/]+\.ts$/.test(path))
  const message = 'has no layer: put it where it belongs, or give it one in tests/tidy/layers.ts'
  return [
    ...folders.filter((folder) => !Object.hasOwn(layers, topOf(`${folder}/`))),
    ...files.filter((file) => !Object.hasOwn(rootFiles, file) && !isTestCode(file)),
  ].map((file) => ({ file, line: 1, message }))
}

function wrongLayer({ from, to, specifier }: Edge): string | null {
  const [own, layer] = [topOf(from), to === null ? '' : topOf(to)]
  if (specifier === memoryDoor) {
    if (isTestCode(from) || memoryUsers.includes(own)) return null
    return `${own || 'this file'} does not touch shared memory: ask ${memoryUsers.join(', ')} to do it`
  }
  if (to === null) {
    const lost = specifier.startsWith('.') && !specifier.endsWith('.json')
    return lost ? `there is no ${specifier}: name a file that exists, ending in .js` : null
  }
  if (to === 'package.json') return null // npm packs it, whatever `files` says
  if (!to.startsWith('src/')) return isTestCode(from) ? null : outside(to)
  if (isTestCode(to))
    return isTestCode(from) ? null : `${to} is for tests: move what is needed to a file of its own`
  if (to === memoryFile && !(own === 'os' && isTestCode(from)))
    return "memory is reached by `import * as memory from '#memory'`, so that its double sees it too"
  const ok = own === '' ? fromRoot(from, to) : fromFolder(from, own, to, layer)
  if (ok) return null
  const below = (layers[own] ?? []).join(', ')
  return `${from} must not import ${to}: below it ${below === '' ? 'is no layer' : `are ${below}`}`
}

const outside = (to: string): string => `${to} is not in src/: the package does not contain it`

function fromRoot(from: string, to: string): boolean {
  return isTestCode(from) || (rootFiles[from]?.(to) ?? true)
}

function fromFolder(from: string, own: string, to: string, layer: string): boolean {
  if (forAll.has(to)) return true
  // It is what devices are tested with.
  if (to === 'src/testing/index.ts' && isTestCode(from)) return true
  if (to === 'src/index.ts') return own === 'cli' || isTestCode(from)
  return layer === own || (layers[own] ?? []).includes(layer)
}

function isTestToTest(from: string, to: string): boolean {
  return isTestCode(from) && isTestCode(to)
}

/** The folder directly below src/ that a file lies in; empty for a file of src/ itself. */
function topOf(path: string): string {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? ''
}

/** The outermost folder that an import enters, or null where it stays in its own or goes up to one around it. */
function entered(from: string, to: string): string | null {
  const [here, there] = [from.split('/').slice(0, -1), to.split('/').slice(0, -1)]
  const parting = there.findIndex((name, index) => here[index] !== name)
  return parting < 0 ? null : there.slice(0, parting + 1).join('/')
}
