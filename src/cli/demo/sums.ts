/**
 * Sums found in another way than the runs find theirs: on the main thread, by streams. What the
 * runs made is compared with them.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { Findings } from './findings.js'
import { pressedPath } from './layout.js'
import { inLanes } from './lanes.js'
import { fsPath, isSystemError, joined, reasonOf, shown, type BytePath } from './path.js'
import type { Round } from './round.js'
import { isSame, readFlags, versionOf, type Version } from './source.js'
import { pathOf, type Entry } from './tree.js'

/** The main thread sums one file while the system opens and reads the next ones. */
const filesAtOnce = 8

/**
 * Sums all files, and with it warms the system's cache, so that the first run has no worse start
 * than the others.
 *
 * @param done - called for each file
 * @returns the files that could be read, in the same order
 */
export async function sumAll(
  root: BytePath,
  files: readonly Entry[],
  findings: Findings,
  signal: AbortSignal,
  done: (entry: Entry) => void,
): Promise<Entry[]> {
  await inLanes(filesAtOnce, files, async (entry) => {
    signal.throwIfAborted()
    try {
      const version = await sumInto(entry, joined(root, pathOf(entry)), signal)
      if (!isSame(entry, version)) findings.change(entry, 'another size or time')
    } catch (error) {
      signal.throwIfAborted()
      findings.unreadable.add(`${shown(pathOf(entry))} (${reasonOf(error)})`)
    }
    done(entry)
  })
  return files.filter(({ sum }) => sum !== '')
}

/** Unpacks everything that a round pressed, and compares it. */
export async function checkPressed(
  files: readonly Entry[],
  round: Round,
  done: (entry: Entry) => void,
): Promise<void> {
  await inLanes(filesAtOnce, files, async (entry) => {
    if (!entry.changed) {
      const trouble = await unpack(joined(round.root, pressedPath(entry)), entry.sum, round.signal)
      if (trouble !== null) round.mismatch(entry, `unpacked: ${trouble}`)
    }
    done(entry)
  })
}

async function sumInto(entry: Entry, path: BytePath, signal: AbortSignal): Promise<Version> {
  const file: FileHandle = await open(fsPath(path), readFlags)
  try {
    const hash = createHash('sha256')
    const stream = file.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 })
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk)
      signal.throwIfAborted()
    }
    entry.sum = hash.digest('hex')
    return versionOf(await file.stat())
  } finally {
    await file.close()
  }
}

/** @returns what is wrong with a pressed file, or null */
async function unpack(path: BytePath, sum: string, signal: AbortSignal): Promise<string | null> {
  const hash = createHash('sha256')
  const take = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) hash.update(chunk)
  }
  try {
    await pipeline(createReadStream(fsPath(path)), createGunzip(), take, { signal })
  } catch (error) {
    signal.throwIfAborted()
    if (isSystemError(error)) return reasonOf(error)
    return error instanceof Error ? error.message : String(error)
  }
  return hash.digest('hex') === sum ? null : 'its sum is another'
}
