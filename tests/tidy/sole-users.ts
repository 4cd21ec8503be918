/**
 * What only one file of the library may use, so that a test can put something else in its place.
 *
 * @module
 */
import {
  isBindingElement,
  isElementAccessExpression,
  isIdentifier,
  isNoSubstitutionTemplateLiteral,
  isPropertyAccessExpression,
  isStringLiteral,
  isTemplateHead,
  isTemplateMiddleOrTemplateTail,
  isVariableDeclaration,
  lineOf,
  SyntaxKind,
  syntaxOf,
  walk,
  type Node,
} from './syntax.js'
import { isLibrary, type Tree, type Violation } from './tree.js'

interface SoleUse {
  /** The one file, or, ending in a slash, the one folder. */
  readonly in: string
  /** What all others do instead. */
  readonly instead: string
  /** Variables of the language and of Node. */
  readonly globals?: readonly string[]
  /** Names banned wherever they stand: no other thing is called that. */
  readonly names?: RegExp
  /** `object.property`, however it is written. */
  readonly members?: readonly string[]
  /** Modules, with `node:` or without, imported or asked for by any function. */
  readonly modules?: readonly string[]
  /** Texts of strings and templates. */
  readonly texts?: RegExp
}

/** What `node:crypto` and Web Crypto give that differs each time. */
const randomNames =
  /^(random(Bytes|Fill|FillSync|Int|UUID)|getRandomValues|webcrypto|generate(Key(Pair)?|Prime)(Sync)?)$/

const soleUses: readonly SoleUse[] = [
  {
    in: 'src/os/memory.ts',
    globals: ['Atomics'],
    instead: "`import * as memory from '#memory'`",
  },
  {
    in: 'src/os/thread.ts',
    modules: ['worker_threads'],
    instead: 'import from src/os/thread.ts',
  },
  {
    in: 'src/os/koffi.ts',
    modules: ['koffi'],
    instead: 'import from src/os/koffi.ts',
  },
  {
    in: 'src/os/clock.ts',
    globals: ['Date', 'performance', 'setTimeout', 'setInterval', 'setImmediate'],
    names: /^hrtime$/,
    members: ['AbortSignal.timeout'],
    modules: ['timers', 'timers/promises', 'perf_hooks'],
    instead: 'import from src/os/clock.ts',
  },
  {
    in: 'src/os/random.ts',
    names: randomNames,
    members: ['Math.random'],
    instead: 'import from src/os/random.ts',
  },
  {
    in: 'src/os/',
    texts: /^\/proc$|\/proc\/|\/sys\/fs\/cgroup/,
    instead: 'ask a function of src/os/, such as those of proc.ts and cgroup.ts',
  },
]

/** Each thing of the list above is used in its one place only. */
export async function checkSoleUsers(tree: Tree): Promise<Violation[]> {
  const violations: Violation[] = []
  for (const [path, file] of await syntaxOf(tree)) {
    if (!isLibrary(path)) continue
    const others = soleUses.filter((use) =>
      use.in.endsWith('/') ? !path.startsWith(use.in) : path !== use.in,
    )
    walk(file, (node) => {
      for (const use of others) {
        const what = used(node, use)
        if (what === null) continue
        const message = `${what} is for ${use.in} alone: ${use.instead}`
        violations.push({ file: path, line: lineOf(node, file), message })
      }
      // A type reads no clock, and neither does the question whether something is of a class.
      return node.kind !== SyntaxKind.TypeReference
    })
  }
  return violations
}

/** What a node uses of a sole use, or null. */
function used(node: Node, use: SoleUse): string | null {
  if (isIdentifier(node)) {
    if (use.names?.test(node.text)) return node.text
    if (use.globals?.includes(node.text) && isVariable(node) && !isAskedFor(node)) return node.text
  }
  const text = textOf(node)
  if (text !== null) {
    const module = text.replace(/^node:/, '')
    if (use.modules?.includes(module) && !isPropertyName(node)) return `'${text}'`
    if (use.texts?.test(text)) return `'${text}'`
  }
  const member = memberOf(node)
  if (member === null) return null
  const [object, property] = member
  if (use.members?.includes(`${object}.${property}`)) return `${object}.${property}`
  const all = ['globalThis', 'global'].includes(object)
  return all && use.globals?.includes(property) ? property : null
}

/** Whether an identifier means a variable: it is no name of a property, a parameter or a declaration. */
function isVariable(node: Node): boolean {
  const { parent } = node
  if (isPropertyAccessExpression(parent)) return parent.expression === node
  const { name, propertyName } = parent as { name?: Node; propertyName?: Node }
  if (propertyName === node) return false
  const named = name === node
  // `{ Date }` as a value reads the variable.
  return !named || parent.kind === SyntaxKind.ShorthandPropertyAssignment
}

/** `value instanceof Date` */
function isAskedFor(node: Node): boolean {
  const { operatorToken, right } = node.parent as { operatorToken?: Node; right?: Node }
  return operatorToken?.kind === SyntaxKind.InstanceOfKeyword && right === node
}

function isPropertyName(node: Node): boolean {
  return (node.parent as { name?: Node }).name === node
}

function textOf(node: Node): string | null {
  const holdsText =
    isStringLiteral(node) ||
    isNoSubstitutionTemplateLiteral(node) ||
    isTemplateHead(node) ||
    isTemplateMiddleOrTemplateTail(node)
  return holdsText ? node.text : null
}

/** Object and property of `a.b`, `x.a.b`, `a['b']`, and of each name taken by `const { b } = a`. */
function memberOf(node: Node): [string, string] | null {
  if (isPropertyAccessExpression(node)) return [lastName(node.expression), node.name.text]
  if (isElementAccessExpression(node)) {
    const property = textOf(node.argumentExpression)
    return property === null ? null : [lastName(node.expression), property]
  }
  if (!isBindingElement(node)) return null
  const taken = node.propertyName ?? node.name
  const declaration = node.parent?.parent
  if (!declaration || !isVariableDeclaration(declaration) || !declaration.initializer) return null
  return [lastName(declaration.initializer), taken?.getText() ?? '']
}

function lastName(node: Node): string {
  return /[\w$]+$/.exec(node.getText())?.[0] ?? ''
}
