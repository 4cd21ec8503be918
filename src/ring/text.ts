/**
 * Text in shared bytes: one byte a character where all are below 256, else two, so that everything
 * a JavaScript string can hold survives, halves of pairs too.
 *
 * @module
 */
import {
  codeAt,
  execute,
  latin1Slice,
  latin1Write,
  partOf,
  ucs2Slice,
  ucs2Write,
} from './builtins.js'

/** Shorter text is written and checked character by character: a call into C++ costs more. */
const short = 16

// On a string that V8 holds with one byte a character this fails at once, without a look at them.
const wideCharacter = /[^\0-\xff]/

/** True if a character of the text takes two bytes. */
export function isWide(text: string): boolean {
  const { length } = text
  if (length > short) return execute(wideCharacter, text) !== null
  for (let index = 0; index < length; index++) if (codeAt(text, index) > 0xff) return true
  return false
}

/** Writes text, two bytes a character if `wide`, and gives the place behind it. */
export function writeText(bytes: Uint8Array, at: number, text: string, wide: boolean): number {
  const { length } = text
  if (wide) {
    ucs2Write(bytes, text, at, length * 2)
    return at + length * 2
  }
  if (length > short) latin1Write(bytes, text, at, length)
  else for (let index = 0; index < length; index++) bytes[at + index] = codeAt(text, index)
  return at + length
}

/** Reads so many characters. */
export function readText(bytes: Uint8Array, at: number, length: number, wide: boolean): string {
  if (length === 0) return ''
  return wide ? ucs2Slice(bytes, at, at + length * 2) : latin1Slice(bytes, at, at + length)
}

/** The integer of that hexadecimal text, which may have a sign. */
export function bigintOf(text: string): bigint {
  return text[0] === '-' ? -BigInt(`0x${partOf(text, 1, text.length)}`) : BigInt(`0x${text}`)
}
