/**
 * How long files, lines and functions may be.
 *
 * @module
 */
import {
  isCallExpression,
  isCode,
  isFunctionLikeDeclaration,
  lastLineOf,
  lineOf,
  syntaxOf,
  walk,
  type Node,
  type SourceFile,
} from './syntax.js'
import type { Tree, Violation } from './tree.js'

const mostLines = 400
const mostColumns = 120
const mostLinesOfFunction = 70

/** No file of code is longer than can be kept in mind. */
export function checkFileLengths(tree: Tree): Violation[] {
  return codeOf(tree).flatMap(([file, text]) => {
    const lines = text.replace(/\n$/, '').split('\n').length
    if (lines <= mostLines) return []
    const message = `${lines} lines, more than ${mostLines}: give a part of it a file of its own`
    return [{ file, line: mostLines + 1, message }]
  })
}

/** No line of code is too wide to be read beside another file. */
export function checkLineLengths(tree: Tree): Violation[] {
  return codeOf(tree).flatMap(([file, text]) =>
    text.split('\n').flatMap((line, index) => {
      const columns = Array.from(line).length
      if (columns <= mostColumns) return []
      const message = `${columns} columns, more than ${mostColumns}: break the line`
      return [{ file, line: index + 1, message }]
    }),
  )
}

/** No function is longer than a screen. The tests that a function groups count for themselves. */
export async function checkFunctionLengths(tree: Tree): Promise<Violation[]> {
  const violations: Violation[] = []
  for (const [path, file] of await syntaxOf(tree)) {
    walk(file, (node) => {
      if (!isFunctionLikeDeclaration(node)) return
      const lines = linesOf(node, file) - linesOfTests(node, file)
      if (lines <= mostLinesOfFunction) return
      const message = `a function of ${lines} lines, more than ${mostLinesOfFunction}: divide it`
      violations.push({ file: path, line: lineOf(node, file), message })
    })
  }
  return violations
}

function linesOf(node: Node, file: SourceFile): number {
  return lastLineOf(node, file) - lineOf(node, file) + 1
}

/** The lines of the tests, and groups of tests, among a function's own statements. */
function linesOfTests(node: Node, file: SourceFile): number {
  let lines = 0
  walk(node, (inner) => {
    if (inner !== node && isFunctionLikeDeclaration(inner)) return false
    if (!isTest(inner)) return true
    lines += linesOf(inner, file)
    return false
  })
  return lines
}

function isTest(node: Node): boolean {
  return isCallExpression(node) && /^(test|describe)(\.\w+)?$/.test(node.expression.getText())
}

function codeOf(tree: Tree): [string, string][] {
  return [...tree].filter(([path]) => isCode(path))
}
