/**
 * Inline functions: `queue.run((a, b) => a + b, [1, 2])`. The owner takes the function's text
 * (`sourceOf`), the worker makes a function of it again (`functionOf`), which sees its arguments
 * and the thread's globals, and nothing else.
 *
 * What it takes from its surroundings is found when it is missed, by the ReferenceError that V8
 * throws from inside the function's own text (`explainReference`): so no parser is needed, and no
 * name is called free that is not.
 *
 * @module
 */
import { invalid, UserWorkerError } from '../errors.js'
import { builtin } from '../os/builtin.js'
import { standInsFor } from './stand-ins.js'

/** The function that comes out of a text. */
export type InlineFunction = (...args: unknown[]) => unknown

/** What stack traces show where a file would stand, before the name. */
const scheme = 'inline:'

/** Longer names are cut in stack traces. */
const mostOfName = 64

/** A computed key is looked for up to here: `[a[0]]() {}` has two brackets that may end it. */
const mostBrackets = 32

/**
 * An expression that evaluates to the function, wherever it is put.
 *
 * @throws TypeError EINVAL: it has no text of its own (native, bound, a proxy), is a class, or its
 * text means nothing outside its place: `super`, `import.meta`, `#private`, another's `arguments`
 */
export function sourceOf(fn: unknown): string {
  if (typeof fn !== 'function') throw invalid('An inline function must be a function')
  const text = Function.prototype.toString.call(fn)
  const what = `The inline function ${fn.name === '' ? '(without a name)' : `'${fn.name}'`}`
  if (/\{\s*\[native code\]\s*\}$/.test(text)) {
    throw invalid(
      `${what} has no text to send: it is bound, a proxy, or native. Write a function that calls it`,
    )
  }
  if (isClass(fn, text)) {
    throw invalid(`${what} is a class: write a function that makes an instance of it`)
  }
  const asExpression = refusalOf(text)
  if (asExpression === null) return text
  const member = memberOf(withPlainKey(text, fn.name))
  const asMember = refusalOf(member)
  if (asMember === null) return member
  // Of what is no member at all, and of what is no expression at all, V8 says only this.
  const why = asExpression.startsWith('Unexpected') ? asMember : asExpression
  throw invalid(`${what} cannot be taken out of its place: ${why}`)
}

/**
 * The function of a source, made in the thread's global scope, in strict mode, with `this`
 * undefined. Its `import()` finds what this library can import: built-in modules, packages, and
 * absolute URLs.
 *
 * @param source - what {@link sourceOf} gave
 * @param name - what stack traces call it: `inline:name`
 */
export function functionOf(source: string, name: string): InlineFunction {
  const standIns = standInsFor(source)
  const label = name.replace(/[^\p{ID_Continue}$.#]+/gu, '-').slice(0, mostOfName)
  const text = `${wrapped(source, [...standIns.keys()])}\n//# sourceURL=${scheme}${label || 'function'}`
  // Not `vm.Script`: `import()` works there behind a warning only, that this is experimental.
  // oxlint-disable-next-line no-eval
  const make = (0, eval)(text) as (...values: unknown[]) => InlineFunction
  return make(...standIns.values())
}

/**
 * What a call of an inline function threw, or rejected with: a UserWorkerError ERR_FREE_NAME where
 * it missed a name that is outside it, else the very same.
 *
 * The error must come out of the function's own text. There V8 calls a name "not defined" only if
 * no scope has it; in a module that the function calls, it would be that module's own mistake. A
 * function that speaks of ReferenceError may make one itself: it is believed.
 *
 * @param source - what {@link functionOf} was given
 */
export function explainReference(error: unknown, source: string): unknown {
  if (!(error instanceof ReferenceError)) return error
  const [, name] = /^(\S+) is not defined$/.exec(error.message) ?? []
  const stack = typeof error.stack === 'string' ? error.stack : ''
  const [frame = ''] = /^ +at .*$/m.exec(stack) ?? []
  if (name === undefined || !/^ +at (?:.* \()?inline:\S+$/.test(frame)) return error
  if (!mentions(source, name) || mentions(source, 'ReferenceError')) return error
  return new UserWorkerError('ERR_FREE_NAME', explanation(name, source), { cause: error })
}

/** `__asyncGenerator`, `_async_generator`: but no name of Node, of Vitest, or of an import. */
const compilersName = /^(__(?!(dir|file)name$|vi)[a-z]\w*|_[a-z\d]+(_[a-z\d]+)+)$/

function explanation(name: string, source: string): string {
  if (compilersName.test(name) && !isImport(name, source)) {
    return (
      `The function calls '${name}', which its compiler seems to have put outside it: ` +
      'compile it for ES2022 or later, or put the function into a module'
    )
  }
  const remedy =
    name === 'require' || isImport(name, source)
      ? 'Import it inside the function with `await import(…)`'
      : 'Pass it as an argument'
  return (
    `The function refers to ${shown(name, source)}, which is outside it: ` +
    'an inline function sees only its arguments and globals. ' +
    `${remedy}, or put the function into a module`
  )
}

/** As it was written, where a compiler or a test runner has renamed it. */
function shown(name: string, source: string): string {
  if (name === '__vite_ssr_import_meta__' || name === 'import_meta') return "'import.meta'"
  if (!isImport(name, source)) return `'${name}'`
  const members = source.matchAll(new RegExp(`(?<![\\w$.])${escaped(name)}\\.([\\w$]+)`, 'g'))
  const names = new Set([...members].map(([, member]) => `'${member}'`))
  names.delete("'default'")
  return names.size === 0 ? 'an import' : `an import (${[...names].join(', ')})`
}

/** Vitest names imports so; those who compile to CommonJS call them as `(0, module.name)()`. */
function isImport(name: string, source: string): boolean {
  if (/^__vi(te_ssr)?_import_\d+__$/.test(name)) return true
  return new RegExp(`\\(0,\\s*${escaped(name)}\\.`).test(source)
}

function mentions(source: string, name: string): boolean {
  return new RegExp(`(?<![\\p{ID_Continue}$])${escaped(name)}(?![\\p{ID_Continue}$])`, 'u').test(
    source,
  )
}

function escaped(name: string): string {
  return name.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

/** A class's `prototype` is fixed; no other function's is, unless somebody froze it. */
function isClass(fn: object, text: string): boolean {
  const prototype = Object.getOwnPropertyDescriptor(fn, 'prototype')
  return prototype?.writable === false && text.startsWith('class')
}

/**
 * A function that makes the function. All before the source is on its first line, so that lines are
 * counted as in the source. A function, not an arrow: so `this` of an arrow in it is undefined.
 */
function wrapped(source: string, names: readonly string[]): string {
  const dynamicImport = source.includes('__vite_ssr_dynamic_import__')
    ? 'const __vite_ssr_dynamic_import__=(from)=>import(from);'
    : ''
  return `(function(${names.join()}){'use strict';${dynamicImport}return(${source}\n)})`
}

/** What V8 has against a source, or null. Nothing is run. */
function refusalOf(source: string): string | null {
  try {
    void new (builtin('node:vm').Script)(wrapped(source, []))
  } catch (error) {
    return (error as Error).message
  }
  // An arrow's `arguments` are those of the function around it. A class's static block has none.
  try {
    if (mentions(source, 'arguments'))
      void new (builtin('node:vm').Script)(`(class{static{(${source}\n)}})`)
  } catch {
    return "it uses the 'arguments' of the function around it"
  }
  return null
}

/** The text of a method, getter or setter, as an expression. */
function memberOf(text: string): string {
  return `((d)=>d.value??d.get??d.set)(Object.values(Object.getOwnPropertyDescriptors({${text}}))[0])`
}

/**
 * A method's text with its name for a computed key: what computes the key is not there any more.
 * Which bracket ends the key is for V8 to say.
 */
function withPlainKey(text: string, name: string): string {
  const [before] = /^(?:(?:async|get|set)\s*)?(?:\*\s*)?(?=\[)/.exec(text) ?? []
  if (before === undefined) return text
  let end = text.indexOf(']')
  for (let tries = mostBrackets; end >= 0 && tries > 0; tries--) {
    const plain = before + JSON.stringify(name) + text.slice(end + 1)
    if (refusalOf(memberOf(plain)) === null) return plain
    end = text.indexOf(']', end + 1)
  }
  return text
}
