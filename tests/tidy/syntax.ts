/**
 * The syntax trees of a tree's code, made by the compiler that builds the project. TypeScript 7 has no
 * stable interface for that yet; this is the only file that uses the unstable one.
 *
 * @module
 */
import { SyntaxKind, type Node, type SourceFile } from 'typescript/unstable/ast'
import { createVirtualFileSystem } from 'typescript/unstable/fs'
import { API } from 'typescript/unstable/async'
import type { Tree } from './tree.js'

export * from 'typescript/unstable/ast/is'
export { SyntaxKind, type Node, type SourceFile }

/** Path to syntax. */
export type Code = ReadonlyMap<string, SourceFile>

const parsed = new WeakMap<Tree, Promise<Code>>()

/** Whether a file holds code. */
export function isCode(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path) && !/\.d\.[cm]?ts$/.test(path)
}

/** Parses all code of a tree; a tree is parsed once. */
export function syntaxOf(tree: Tree): Promise<Code> {
  const code = parsed.get(tree) ?? parse(tree)
  parsed.set(tree, code)
  return code
}

async function parse(tree: Tree): Promise<Code> {
  const files = [...tree.keys()].filter(isCode)
  const config = {
    compilerOptions: { noLib: true, noResolve: true, allowJs: true, types: [], module: 'esnext' },
    files,
  }
  const disk: Record<string, string> = { '/tree/tsconfig.json': JSON.stringify(config) }
  for (const path of files) disk[`/tree/${path}`] = tree.get(path) ?? ''
  const api = new API({ cwd: '/tree', fs: createVirtualFileSystem(disk) })
  try {
    const name = '/tree/tsconfig.json'
    const snapshot = await api.updateSnapshot({ openProjects: [name] })
    const program = snapshot.getProject(name)?.program
    const code = new Map<string, SourceFile>()
    for (const path of files) {
      const file = await program?.getSourceFile(`/tree/${path}`)
      if (file === undefined) throw new Error(`${path}:1: could not be parsed`)
      code.set(path, file)
    }
    return code
  } finally {
    await api.close()
  }
}

/** Calls `look` for a node and, unless it answers false, for everything below it. */
export function walk(node: Node, look: (node: Node) => boolean | void): void {
  if (look(node) === false) return
  node.forEachChild((child) => {
    walk(child, look)
  })
}

/** The line a node begins on, counted from 1; comments before it do not count. */
export function lineOf(node: Node, file: SourceFile): number {
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
}

/** The line a node ends on, counted from 1. */
export function lastLineOf(node: Node, file: SourceFile): number {
  return file.getLineAndCharacterOfPosition(node.getEnd()).line + 1
}
