/**
 * Paths as the system has them: bytes. A file's name on Linux may hold any byte but `/` and NUL,
 * and need not be UTF-8; read as text, such a name would be another one, and its file not found.
 *
 * @module
 */

import { printable } from '../terminal/index.js'

declare const kind: unique symbol

/**
 * A path or a name: one character for each byte, so that it can be compared, sorted, joined and
 * sent.
 */
export type BytePath = string & { readonly [kind]: 'path' }

export function bytePath(text: string | Buffer): BytePath {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  return bytes.toString('latin1') as BytePath
}

/** A name that `readdir` gave with the encoding latin1. */
export function asName(latin1: string): BytePath {
  return latin1 as BytePath
}

/** What the functions of `node:fs` take. */
export function fsPath(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1')
}

/** Joins parts; empty ones add nothing. */
export function joined(first: BytePath, ...rest: readonly string[]): BytePath {
  let path: string = first
  for (const part of rest) {
    if (part === '') continue
    path += path === '' || path.endsWith('/') ? part : `/${part}`
  }
  return path as BytePath
}

/** Whether a path is that folder, or lies below it. Both absolute and free of links. */
export function isWithin(path: BytePath, folder: BytePath): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}

/** A path for people. */
export function shown(path: BytePath): string {
  return printable(fsPath(path).toString('utf8'))
}

/** Why the system refused something, without the path: `EACCES: permission denied`. */
export function reasonOf(error: unknown): string {
  if (!isSystemError(error)) throw error
  return error.message.split(',', 1)[0] ?? error.code
}

/** Whether an error is the system's answer to a call, and no mistake of ours. */
export function isSystemError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error
}
