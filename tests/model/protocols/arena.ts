/**
 * Blocks with results: a worker that writes them into a ring of bytes, an owner that reads them as it hears of the
 * works, and the end of the worker's thread (`ResultArena` in `ring/arena.ts`, `ring/completion.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { ringCode, ringsOf, ringWords, type Rings } from './ring-code.js'

const seats = ['doomed']

/** The bytes of each work's result. The first ring has room for four of the small ones. */
const lengths = [8, 8, 8, 8, 8, 16, 16, 8, 16]
const sizes = { first: 32, most: 64 }

interface Context extends Rings {
  /** A word for each eight bytes of a chunk: the work whose result is there. */
  readonly bytes: memory.Words
  /** For each work where its result is, plus one; 0: it goes by message. */
  readonly places: memory.Words
}

/** The index of the word for bytes of a chunk. */
const wordOf = (chunk: number, at: number): number => (chunk * sizes.most + at) / 8

export default async function arena(code: Code): Promise<Protocol<Context>> {
  const real = await ringCode(code)
  const { Completions, Entry, Reaper, ResultArena } = real
  const told = ringWords(real, seats)
  return {
    name: 'arena',
    promise:
      'A block with a result is not written over before the owner has read it, also in a ring that has ' +
      'grown; what was read is room again.',
    setUp: () => ({
      ...ringsOf(real, seats),
      bytes: memory.allocate(32),
      places: memory.allocate(lengths.length),
    }),
    threads: {
      owner({ completions: [words = assert.fail()], bytes, places }, model) {
        const hear = (_: number, work: number): void => {
          const place = memory.load(places, work)
          if (place === 0) return
          for (let part = 0; part < (lengths[work] ?? 0) / 8; part++) {
            const found = memory.load(bytes, place - 1 + part)
            assert.equal(found, work + 1, `the result of work ${work} was written over`)
          }
        }
        const reaper = new Reaper(words, () => 0, hear)
        reaper.reap()
        model.kill('doomed')
        reaper.reap()
        model.ended('doomed')
        reaper.reap()
      },
      // As `Post.writeResult` and `Serving.#end`.
      doomed({ completions: [words = assert.fail()], bytes, places }) {
        const completions = new Completions(words)
        const results = new ResultArena(completions, () => {}, sizes)
        for (const [work, length] of lengths.entries()) {
          const isAllRead = completions.reaped() === completions.pushed
          const isThere = results.take(length)
          assert.ok(isThere || !isAllRead, 'all was read, and there is no room')
          if (isThere) {
            const place = wordOf(results.chunk, results.at)
            for (let part = 0; part < length / 8; part++)
              memory.store(bytes, place + part, work + 1)
            memory.store(places, work, place + 1)
          }
          completions.push(Entry.DONE, work, 0)
        }
      },
    },
    check({ threads: { owner } }) {
      assert.ok(owner?.state === 'returned', 'the owner is stuck')
    },
    ...told,
    wordName(index, context, words) {
      if (words === context.bytes) return `chunk ${Math.floor(index / 8)} block ${index % 8}`
      if (words === context.places) return `place of work ${index}`
      return told.wordName(index, context, words)
    },
  }
}
