/**
 * What the demo does with a file. Workers and the main thread run this same code.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { gzipSync } from 'node:zlib'
import { nextTurn } from '../../os/clock.js'
import { fsPath, isSystemError, joined, reasonOf, type BytePath } from './path.js'
import { readFlags, versionOf, type Version } from './source.js'

/**
 * So much is read, summed and pressed at once, as a gzip member of its own; members one behind the
 * other are a gzip file (RFC 1952, 2.2). It bounds the memory of a worker, and how long it does not
 * look at its signal: about 0.2 s.
 */
export const chunkBytes: number = 4 * 1024 * 1024

/** A file of the system's own, in /proc say, holds more than its size says. */
const leastRead = 4096

/** A file of the output. */
export interface Target {
  /**
   * The root of the run's output. It is never made anew: once it is removed, nothing comes back.
   */
  readonly root: BytePath
  /** From there. Folders on the way are made. */
  readonly path: BytePath
}

/** What is to be pressed, and where it goes. */
export interface Order {
  readonly source: BytePath
  readonly target: Target
}

/** What came of pressing a file. */
export type Pressed =
  | { readonly sum: string; readonly pressedBytes: number; readonly version: Version }
  /** It could not be read. There is no output. */
  | { readonly unreadable: string }

/**
 * Presses `source` into the new file `target`.
 *
 * @throws the reason of `signal` when that is aborted, between two chunks
 * @throws Error of the system when the output cannot be written
 */
export async function pressFile(
  source: BytePath,
  target: Target,
  signal: AbortSignal,
): Promise<Pressed> {
  const input = attempt(() => openSync(fsPath(source), readFlags))
  if ('failure' in input) return { unreadable: input.failure }
  try {
    return await pressOpen(input.value, target, signal)
  } finally {
    closeSync(input.value)
  }
}

/** Adds lines to a manifest. */
export function appendLines(manifest: Target, lines: string): void {
  inFolder(manifest, (path) => appendFileSync(path, lines, 'latin1'))
}

async function pressOpen(input: number, target: Target, signal: AbortSignal): Promise<Pressed> {
  const { size } = fstatSync(input)
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(leastRead, size + 1)))
  const hash = createHash('sha256')
  let pressedBytes = 0
  let output: number | null = null
  try {
    for (;;) {
      const read = attempt(() => fill(buffer, input))
      if ('failure' in read) {
        if (output !== null) inFolder(target, unlinkSync)
        return { unreadable: read.failure }
      }
      const chunk = buffer.subarray(0, read.value)
      if (chunk.length === 0 && output !== null) break
      output ??= inFolder(target, (path) => openSync(path, 'wx'))
      hash.update(chunk)
      const member = gzipSync(chunk)
      writeFileSync(output, member)
      pressedBytes += member.length
      if (chunk.length < buffer.length) break
      await nextTurn()
      signal.throwIfAborted()
    }
  } finally {
    if (output !== null) closeSync(output)
  }
  return { sum: hash.digest('hex'), pressedBytes, version: versionOf(fstatSync(input)) }
}

/**
 * Opens a file with `open`, and if that fails because folders above it are missing, makes them and
 * opens it again.
 */
function inFolder<T>({ root, path }: Target, open: (path: Buffer) => T): T {
  const file = fsPath(joined(root, path))
  try {
    return open(file)
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'ENOENT') throw error
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1))
      makeFolder(fsPath(joined(root, path.slice(0, end))))
    return open(file)
  }
}

function makeFolder(path: Buffer): void {
  try {
    mkdirSync(path)
  } catch (error) {
    // Another worker may have been quicker.
    if (!isSystemError(error) || error.code !== 'EEXIST') throw error
  }
}

/** Reads until the buffer is full or the file ends. */
function fill(buffer: Buffer, input: number): number {
  let length = 0
  while (length < buffer.length) {
    const count = readSync(input, buffer, length, buffer.length - length, null)
    if (count === 0) break
    length += count
  }
  return length
}

/** Trouble with the input is an outcome; trouble with the output is an error. */
function attempt<T>(run: () => T): { readonly value: T } | { readonly failure: string } {
  try {
    return { value: run() }
  } catch (error) {
    return { failure: reasonOf(error) }
  }
}
