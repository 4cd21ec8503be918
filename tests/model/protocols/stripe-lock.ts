/**
 * The lock of a stripe of an overlay: three threads write to one cluster that is not here yet, and one of them is
 * terminated (`devices/blk/stripe-locks.ts`, in the order of `OverlayBackEnd`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Model, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'

interface Context {
  readonly locks: memory.Words
  /** 1: the cluster is here. */
  readonly live: memory.Words
  /** The halves of the cluster. */
  readonly own: memory.Words
  /** By its number: whether a thread is gone. */
  readonly gone: memory.Words
}

/** What both halves hold below. */
const below = 9
/** Each writes its number to its half. */
const halves = { doomed: 0, first: 0, second: 1 } as const
type Name = keyof typeof halves
const names = Object.keys(halves) as Name[]

export default async function stripeLock(code: Code): Promise<Protocol<Context>> {
  const { takeLock, freeLock } = (await code(
    'devices/blk/stripe-locks.js',
  )) as typeof import('../../../src/devices/blk/stripe-locks.js')

  const writes =
    (name: Name) =>
    (context: Context, model: Model): void => {
      const { locks, live, own, gone } = context
      const number = names.indexOf(name) + 1
      const half = halves[name]
      if (memory.load(live, 0) === 1) return memory.store(own, half, number)
      const isGone = (bearer: number): boolean => memory.load(gone, bearer) === 1
      if (!takeLock(locks, 0, number, isGone)) {
        // In the place of trying again after a moment: something has changed.
        model.receive(`to ${name}`)
        return model.again(null)
      }
      if (memory.load(live, 0) === 0) memory.store(own, 1 - half, below)
      memory.store(own, half, number)
      memory.store(live, 0, 1)
      freeLock(locks, 0)
      for (const other of names) if (other !== name) model.post(`to ${other}`, null)
    }

  return {
    name: 'stripe-lock',
    promise:
      'Of those who write to a cluster that is not here yet none takes away what another has written, ' +
      'and none waits for a lock that a terminated thread has left.',
    setUp: () => ({
      locks: memory.allocate(1),
      live: memory.allocate(1),
      own: memory.allocate(2),
      gone: memory.allocate(names.length + 1),
    }),
    threads: {
      doomed: writes('doomed'),
      first: writes('first'),
      second: writes('second'),
      killer({ gone }, model) {
        model.kill('doomed')
        model.ended('doomed')
        memory.store(gone, 1, 1)
        for (const name of ['first', 'second']) model.post(`to ${name}`, null)
      },
    },
    check({ threads: { first, second } }, { live, own, locks, gone }) {
      assert.equal(first?.state, 'returned', 'the first waits for a lock')
      assert.equal(second?.state, 'returned', 'the second waits for a lock')
      assert.equal(memory.load(live, 0), 1)
      assert.ok([1, 2].includes(memory.load(own, 0)), 'what the first has written is gone')
      assert.equal(memory.load(own, 1), 3, 'what the second has written is gone')
      const isGone = (bearer: number): boolean => memory.load(gone, bearer) === 1
      assert.ok(takeLock(locks, 0, 3, isGone), 'the lock is left for ever')
    },
    wordName(index, context, words) {
      const name = Object.entries(context).find(([, each]) => each === words)?.[0]
      return `${name ?? 'word'} ${index}`
    },
  }
}
