/**
 * `require()` cannot load a module that awaits while it loads, so no module of the library does.
 *
 * @module
 */
import {
  isAwaitExpression,
  isForOfStatement,
  isFunctionLikeDeclaration,
  isVariableDeclarationList,
  lineOf,
  syntaxOf,
  walk,
  type Node,
} from './syntax.js'
import { isLibrary, type Tree, type Violation } from './tree.js'

/** The `NodeFlags` of a list of variables declared by `await using`. */
const awaitUsing = 6
const message =
  'awaits while the module loads, so that require() refuses the package: await inside a function'

/** No module of the library awaits outside its functions. */
export async function checkTopLevelAwait(tree: Tree): Promise<Violation[]> {
  const violations: Violation[] = []
  for (const [path, file] of await syntaxOf(tree)) {
    if (!isLibrary(path)) continue
    walk(file, (node) => {
      if (awaits(node)) violations.push({ file: path, line: lineOf(node, file), message })
      return !isFunctionLikeDeclaration(node)
    })
  }
  return violations
}

function awaits(node: Node): boolean {
  if (isForOfStatement(node)) return node.awaitModifier !== undefined
  if (isVariableDeclarationList(node)) return (node.flags & awaitUsing) === awaitUsing
  return isAwaitExpression(node)
}
