/**
 * The names that a module exports, read from its text.
 *
 * @module
 */
import {
  isExportDeclaration,
  isNamedExports,
  SyntaxKind,
  syntaxOf,
  type Node,
} from './tidy/syntax.js'
import { treeOf } from './tidy/tree.js'

/**
 * The names exported by a module with this text, types as `type Name`, sorted.
 *
 * @throws Error where the text alone does not tell: at `export *`
 */
export async function exportedNames(text: string): Promise<string[]> {
  const [file] = (await syntaxOf(treeOf({ 'module.ts': text }))).values()
  const names = (file?.statements ?? []).flatMap((statement) => namesOf(statement))
  return [...new Set(names)].sort()
}

function namesOf(statement: Node): string[] {
  if (isExportDeclaration(statement)) {
    const { exportClause, isTypeOnly } = statement
    if (exportClause === undefined) throw new Error('export * names nothing: name what is exported')
    if (!isNamedExports(exportClause)) return [exportClause.name.getText()]
    return exportClause.elements.map(({ name, isTypeOnly: alone }) =>
      isTypeOnly || alone ? `type ${name.text}` : name.text,
    )
  }
  const modifiers = (statement as { modifiers?: readonly Node[] }).modifiers ?? []
  const has = (kind: SyntaxKind): boolean => modifiers.some((modifier) => modifier.kind === kind)
  if (statement.kind === SyntaxKind.ExportAssignment) return ['default']
  if (!has(SyntaxKind.ExportKeyword)) return []
  if (has(SyntaxKind.DefaultKeyword)) return ['default']
  if (statement.kind === SyntaxKind.VariableStatement) return variablesOf(statement)
  const name = (statement as { name?: Node }).name?.getText() ?? ''
  const isType =
    statement.kind === SyntaxKind.InterfaceDeclaration ||
    statement.kind === SyntaxKind.TypeAliasDeclaration
  return [isType ? `type ${name}` : name]
}

function variablesOf(statement: Node): string[] {
  const { declarationList } = statement as unknown as {
    declarationList: { declarations: Iterable<{ name: Node }> }
  }
  return Array.from(declarationList.declarations, ({ name }) => name.getText())
}
