/**
 * Which modules a file names, in whatever way.
 *
 * @module
 */
import { posix } from 'node:path'
import {
  isCallExpression,
  isExportDeclaration,
  isExternalModuleReference,
  isIdentifier,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isNewExpression,
  isNoSubstitutionTemplateLiteral,
  isStringLiteral,
  lineOf,
  SyntaxKind,
  syntaxOf,
  walk,
  type Node,
  type SourceFile,
} from './syntax.js'
import { folderOf, isLibrary, type Tree } from './tree.js'

/** A module named in a file. */
export interface Reference {
  readonly specifier: string
  readonly line: number
  /**
   * `static`: loaded with the file; `type`: gone after compiling; `lazy`: `import()` or `require`;
   * `url`: `new URL('./entry.js', import.meta.url)`, which a thread of its own loads.
   */
  readonly kind: 'static' | 'type' | 'lazy' | 'url'
}

/** A reference with the file it leads to, where that is a file of the tree. */
export interface Edge extends Reference {
  readonly from: string
  /** The file of the tree, or null for `node:` modules and packages. */
  readonly to: string | null
}

/** All modules a file names. */
function referencesOf(file: SourceFile): Reference[] {
  const found: Reference[] = []
  walk(file, (node) => {
    const [kind, module] = moduleNamedBy(node)
    if (
      module !== undefined &&
      (isStringLiteral(module) || isNoSubstitutionTemplateLiteral(module))
    )
      found.push({ kind, specifier: module.text, line: lineOf(module, file) })
  })
  return found
}

function moduleNamedBy(node: Node): [Reference['kind'], Node | undefined] {
  if (isImportDeclaration(node)) {
    const typeOnly = node.importClause?.phaseModifier === SyntaxKind.TypeKeyword
    return [typeOnly ? 'type' : 'static', node.moduleSpecifier]
  }
  if (isExportDeclaration(node)) return [node.isTypeOnly ? 'type' : 'static', node.moduleSpecifier]
  if (isExternalModuleReference(node)) return ['static', node.expression]
  if (isImportTypeNode(node))
    return ['type', isLiteralTypeNode(node.argument) ? node.argument.literal : undefined]
  if (isCallExpression(node) && loads(node.expression)) return ['lazy', node.arguments[0]]
  if (isNewExpression(node) && isIdentifier(node.expression) && node.expression.text === 'URL') {
    const [path, base] = node.arguments ?? []
    if (base?.getText() === 'import.meta.url') return ['url', path]
  }
  return ['static', undefined]
}

/** `import`, `require`, `require.resolve`, `import.meta.resolve`, `process.getBuiltinModule`. */
function loads(called: Node): boolean {
  return /^(import|require|(require|import\.meta)\.resolve|(process\.)?getBuiltinModule)$/.test(
    called.getText(),
  )
}

/** All references of the files of a tree that `chosen` picks. */
export async function edgesOf(
  tree: Tree,
  chosen: (path: string) => boolean = isLibrary,
): Promise<Edge[]> {
  const edges: Edge[] = []
  for (const [from, file] of await syntaxOf(tree)) {
    if (!chosen(from)) continue
    for (const reference of referencesOf(file)) {
      const to = resolve(tree, from, reference.specifier)
      if (reference.kind === 'url' && to === null) continue
      edges.push({ ...reference, from, to })
    }
  }
  return edges
}

/** The file of the tree that a specifier means, or null where it means none. */
function resolve(tree: Tree, from: string, specifier: string): string | null {
  if (specifier === '#memory') return 'src/os/memory.ts'
  const own = publicDoors(tree).get(specifier)
  if (own !== undefined) return own
  if (!/^\.{1,2}\//.test(specifier)) return null
  const path = posix.normalize(posix.join(folderOf(from), specifier))
  const source = path.replace(/\.([cm]?)js$/, '.$1ts')
  return tree.has(source) ? source : tree.has(path) ? path : null
}

/** The package's exports: what a user imports, to the source file behind it. */
export function publicDoors(tree: Tree): Map<string, string> {
  const text = tree.get('package.json') ?? '{}'
  const { name = '', exports = {} } = JSON.parse(text) as PackageFile
  const doors = new Map<string, string>()
  for (const [path, target] of Object.entries(exports)) {
    // By its types: what runs is packed into a few files.
    const built = typeof target === 'string' ? target : (target['types'] ?? target['default'] ?? '')
    const source = built.replace(/^\.\/dist\/(.*?)(?:\.d\.ts|\.js)$/, 'src/$1.ts')
    if (source !== built) doors.set(posix.join(name, path), source)
  }
  return doors
}

interface PackageFile {
  name?: string
  exports?: Record<string, string | Record<string, string>>
}
