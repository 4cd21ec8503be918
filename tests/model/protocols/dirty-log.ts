/**
 * The log of pages that two threads write to, while a frontend copies what it names (`vhost/dirty-log.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'

/** The pages in use; the last two have their bits in different words. */
const pages = [3, 31, 32] as const
const pageBytes = 4096

interface Context {
  readonly log: memory.Words
  /** What is in the pages: here, and where the guest moves to. */
  readonly here: memory.Words
  readonly there: memory.Words
}

export default async function dirtyLog(code: Code): Promise<Protocol<Context>> {
  const { DirtyPages } = (await code(
    'vhost/dirty-log.js',
  )) as typeof import('../../../src/vhost/dirty-log.js')

  /** A request: bytes of the guest are written, then the log, before the guest hears of it. */
  const write = ({ log, here }: Context, places: readonly number[], value: number): void => {
    for (const place of places) memory.store(here, place, value)
    const [first = 0] = places
    const from = (pages[first] ?? 0) * pageBytes + 100
    new DirtyPages(log.buffer).mark(from, (places.length - 1) * pageBytes + 8)
  }

  /** What a frontend does, again and again; each page after its bit was taken. */
  const copy = ({ log, here, there }: Context): void => {
    const words = [memory.swap(log, 0, 0), memory.swap(log, 1, 0)]
    for (const [place, page] of pages.entries())
      if ((((words[page >>> 5] ?? 0) >>> (page & 31)) & 1) === 1)
        memory.store(there, place, memory.load(here, place))
  }

  return {
    name: 'dirty-log',
    promise: 'When all writers have stopped, the pages that the log names are all that differ.',
    setUp: () => ({
      log: memory.allocate(2),
      here: memory.allocate(pages.length),
      there: memory.allocate(pages.length),
    }),
    threads: {
      vring(context) {
        write(context, [0], 1)
        write(context, [0], 2)
      },
      other: (context) => write(context, [1, 2], 3),
      frontend: copy,
    },
    check(_, context) {
      copy(context)
      for (const [place, page] of pages.entries()) {
        const [here, there] = [context.here, context.there].map((each) => memory.load(each, place))
        assert.equal(there, here, `page ${page} is another where the guest has moved to`)
      }
    },
    wordName(index, context, words) {
      const name = Object.entries(context).find(([, each]) => each === words)?.[0]
      return `${name ?? 'word'} ${index}`
    },
  }
}
