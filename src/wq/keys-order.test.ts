import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Work } from '../index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { meeting, type Coded } from './contract/support.fixture.js'
import type { Meeting } from './handlers.fixture.js'
import { make, noted, type Queue } from './gated-queue.fixture.js'

checkForLeaks()

/** A work to be submitted, or a cancel of one that was. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('submit' as const),
      key: fc.constantFrom(undefined, 'a', 'b', 3),
      unbounded: fc.boolean(),
      priority: fc.constantFrom('high' as const, 'normal' as const, 'low' as const),
      concurrent: fc.boolean(),
      ms: fc.constantFrom(0, 0, 0, 1, 3),
      follows: fc.option(fc.nat(100), { freq: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('cancel' as const), which: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('pause' as const), ms: fc.nat(4) }) },
)

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** What a run has submitted. */
interface Run {
  readonly works: Work[]
  /** For each key its meeting, and the works in order of becoming queued. */
  readonly keys: Map<string | number, { readonly seen: Meeting; readonly marks: number[] }>
  readonly follows: Map<number, number>
  readonly dropped: Set<number>
}

async function take(queue: Queue, run: Run, each: Step): Promise<void> {
  const { works, keys, follows, dropped } = run
  if (each.act === 'pause') await new Promise((resolve) => setTimeout(resolve, each.ms))
  else if (each.act === 'cancel') {
    const mark = works.length === 0 ? 0 : each.which % works.length
    if (works[mark]?.cancel() === 'canceled') dropped.add(mark)
  } else {
    const { key, ms, follows: head, act, ...options } = each
    void act
    const line = key === undefined ? undefined : keys.get(key)
    const mark = works.length
    line?.marks.push(mark)
    const after = head === null || mark === 0 ? undefined : works[head % mark]
    if (after !== undefined) follows.set(mark, (head ?? 0) % mark)
    const seen = line?.seen ?? (keys.get('') as { seen: Meeting }).seen
    const more = after === undefined ? {} : { after }
    works.push(queue.enqueue('meet', [seen, mark, ms], { ...options, key, ...more }))
  }
}

function lines(): Run['keys'] {
  return new Map(['', 'a', 'b', 3].map((key) => [key, { seen: meeting(120), marks: [] }]))
}

/** Each of the works settles as it was told; whoever was cancelled while it waited never ran. */
async function checkEnds({ works, keys, follows, dropped }: Run): Promise<void> {
  const ran = new Set([...keys.values()].flatMap(({ seen }) => noted(seen.order)))
  for (const [mark, work] of works.entries()) {
    const end = await work.result.then(
      () => 'done',
      (error: Coded) => error.code,
    )
    const head = follows.get(mark)
    const isDropped = dropped.has(mark) || (head !== undefined && works[head]?.state !== 'done')
    assert.deepEqual(
      [mark, end, ran.has(mark)],
      [mark, isDropped ? 'ECANCELED' : 'done', !isDropped],
    )
  }
}

describe('works in any order', () => {
  test('INV-IOWQ-5, INV-IOWQ-6: of one key run one at a time and in order', async () => {
    await using queue = make({ maxWorkers: { bounded: 2, unbounded: 2 }, idleTimeoutMs: 10 })
    const property = fc.asyncProperty(fc.array(step, { maxLength: 100 }), async (steps) => {
      const run: Run = { works: [], keys: lines(), follows: new Map(), dropped: new Set() }
      for (const each of steps) await take(queue, run, each)
      await Promise.allSettled(run.works.map(({ result }) => result))
      await checkEnds(run)
      for (const [key, { seen, marks }] of run.keys) {
        if (key === '') continue
        assert.ok((seen.most[0] as number) <= 1, 'one at a time')
        const expected = marks.filter(
          (mark) => run.works[mark]?.state === 'done' && !run.follows.has(mark),
        )
        assert.deepEqual(
          noted(seen.order).filter((mark) => !run.follows.has(mark)),
          expected,
        )
      }
      assert.equal(queue.stats().unsettled, 0)
    })
    await fc.assert(property, { numRuns: 60, endOnFailure: true })
  })
})
