/**
 * Images of disks, as the host sees them.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { system } from './library.js'

export const MiB: number = 2 ** 20

/** A part of a disk, in bytes. */
export interface Part {
  readonly offset: number
  readonly length: number
}

/** Makes an image of zeros that takes no room. */
export function createImage(file: string, size: number): void {
  writeFileSync(file, '')
  truncateSync(file, size)
}

/** Fills a part with random bytes. */
export function fill(file: string, { offset, length }: Part): void {
  const fd = openSync(file, 'r+')
  writeSync(fd, randomBytes(length), 0, length, offset)
  closeSync(fd)
}

/** The SHA-256 of a part. */
export function sumOf(file: string, { offset, length }: Part): string {
  const bytes = Buffer.alloc(length)
  const fd = openSync(file, 'r')
  const read = readSync(fd, bytes, 0, length, offset)
  closeSync(fd)
  if (read !== length) throw new Error(`${file} ends after ${offset + read} bytes`)
  return sha256(bytes)
}

/** How many bytes the file takes on its own disk. */
export function roomOf(file: string): number {
  return statSync(file).blocks * 512
}

/** The SHA-256 of each file in a folder of the ext4 in an image, read without mounting it. */
export function sumsInImage(file: string, folder: string, scratch: string): Map<string, string> {
  const debugfs = system.findProgram('debugfs') ?? 'debugfs'
  mkdirSync(scratch)
  try {
    execFileSync(debugfs, ['-R', `rdump /${folder} ${scratch}`, file], { stdio: 'ignore' })
    const there = join(scratch, folder)
    return new Map(
      readdirSync(there).map((name) => [name, sha256(readFileSync(join(there, name)))]),
    )
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
