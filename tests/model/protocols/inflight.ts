/**
 * The region of requests under way, through the lives of three backends of which two end at any step
 * (`vhost/inflight.ts`, in the order of `vhost/worker/vring.ts` and `SplitQueue`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Model, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'

type Real = typeof import('../../../src/vhost/inflight.js')

const size = 4
/** The indices wrap round on the way. */
const base = 0xfffe
/** The heads in the available ring, by position; the driver uses the last one when it is free again. */
const heads = [2, 1, 3, 2]
const reused = heads.length - 1

/** What outlives a backend. */
interface Context {
  readonly region: memory.Words
  /** The driver's ring: how many heads it has made available. */
  readonly available: memory.Words
  /** The used ring: how many the driver can see, then the heads. */
  readonly used: memory.Words
}

const usedIndex = ({ used }: Context): number => (base + memory.load(used, 0)) & 0xffff

export default async function inflight(code: Code): Promise<Protocol<Context>> {
  const { InflightTracker } = (await code('vhost/inflight.js')) as Real

  const live = (context: Context): void => liveOnce(InflightTracker, context)

  /** Lives until it is killed, if it is; the next one begins when it is gone. */
  const life =
    (name: string, after: string | null) =>
    (context: Context, model: Model): void => {
      if (after !== null) model.receive(`after ${after}`)
      model.note(name)
      live(context)
    }

  return {
    name: 'inflight',
    promise:
      'Whenever backends end, each request is given back once: none is lost, and none that the driver ' +
      'has seen done is done again.',
    setUp() {
      const region = memory.allocate(4 + 4 * size)
      const available = memory.allocate(1)
      memory.store(available, 0, reused)
      return { region, available, used: memory.allocate(1 + heads.length) }
    },
    threads: {
      first: life('first', null),
      second: life('second', 'first'),
      third: life('third', 'second'),
      // It makes a head available again as soon as it has it back.
      driver(context) {
        if (doneOf(context, heads[reused] ?? 0) > 0) memory.store(context.available, 0, reused + 1)
      },
      killer(_, model) {
        for (const name of ['first', 'second']) {
          model.kill(name)
          model.ended(name)
          model.post(`after ${name}`, null)
        }
      },
    },
    check({ threads: { third } }, context) {
      assert.equal(third?.state, 'returned', 'the third backend is stuck')
      // One more, for what the driver has made available since.
      live(context)
      const { used, available } = context
      const count = memory.load(used, 0)
      const back = Array.from({ length: count }, (_, at) => memory.load(used, 1 + at))
      const offered = heads.slice(0, memory.load(available, 0))
      assert.deepEqual(
        back.toSorted((a, b) => a - b),
        offered.toSorted((a, b) => a - b),
        'not each was given back once',
      )
    },
    wordName(index, context, words) {
      const name = Object.entries(context).find(([, each]) => each === words)?.[0]
      return `${name ?? 'word'} ${index}`
    },
  }
}

/** The driver has seen so many of these heads done. */
function doneOf({ used }: Context, head: number): number {
  let count = 0
  for (let at = memory.load(used, 0); at > 0; at--) if (memory.load(used, at) === head) count++
  return count
}

/** All that is there to do, in batches of two, of which each gives back the later one first. */
function liveOnce(InflightTracker: Real['InflightTracker'], context: Context): void {
  const { available, used, region } = context
  const tracker = new InflightTracker(region.buffer, size)
  let shown = memory.load(used, 0)
  const recovered = tracker.recover(usedIndex(context))
  const open = [...recovered.heads]
  const order = open.map((head) => heads.lastIndexOf(head, memory.load(available, 0) - 1))
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
    'what was taken first is not done first',
  )
  let next = (recovered.base - base) & 0xffff
  for (;;) {
    const known = memory.load(available, 0)
    assert.ok(next <= known, 'it takes what the driver has not made available')
    for (const head of open) {
      const offered = heads.slice(0, known).filter((each) => each === head).length
      assert.ok(doneOf(context, head) < offered, `head ${head} was done already`)
    }
    if (next === known && open.length === 0) return
    for (; next < known; next++) {
      const head = heads[next] ?? 0
      tracker.begin(head)
      open.push(head)
    }
    const batch = open.splice(0, 2)
    for (const [place, head] of batch.toReversed().entries()) {
      memory.store(used, 1 + shown + place, head)
      tracker.batch(head)
    }
    shown += batch.length
    memory.store(used, 0, shown)
    tracker.complete((base + shown) & 0xffff)
  }
}
