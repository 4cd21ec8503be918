/**
 * Streams of output, for tests.
 *
 * @module
 */
import type { Readable } from 'node:stream'

/** All of a stream that has ended, without waiting. */
export function all(stream: Readable | null): string {
  const parts: Buffer[] = []
  // Node 26 and newer give a part at each call, older ones everything at the first.
  for (;;) {
    const part = stream?.read() as Buffer | null | undefined
    if (part === null || part === undefined) return Buffer.concat(parts).toString()
    parts.push(part)
  }
}
