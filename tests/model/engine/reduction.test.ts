import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import * as memory from '../memory.js'
import { Game } from './game.js'
import type { Model, Protocol, Value } from './protocol.js'
import { search, type SearchOptions } from './search.js'

/** A step of a made-up thread. It may be taken only if the step before gave a number that is odd. */
interface MadeUp {
  readonly op: string
  readonly at: number
  readonly value: number
  readonly conditional: boolean
}

const names = ['a', 'b', 'c']
const ops = [
  'load store add or replace wait timed notify post receive tryReceive',
  'terminate kill ended note',
].flatMap((line) => line.split(' '))

const madeUp: fc.Arbitrary<MadeUp> = fc.record({
  op: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom('load', 'store', 'add', 'replace') },
    { weight: 1, arbitrary: fc.constantFrom(...ops) },
  ),
  at: fc.nat({ max: 2 }),
  value: fc.nat({ max: 2 }),
  conditional: fc.boolean(),
})

const program = fc.oneof(
  fc.array(fc.array(madeUp, { maxLength: 3 }), { minLength: 3, maxLength: 3 }),
  fc.array(fc.array(madeUp, { maxLength: 5 }), { minLength: 2, maxLength: 2 }),
)

/** A program in which all that is left out makes the search longer: 11 steps instead of 9. */
const longer: MadeUp[][] = [
  [
    { op: 'kill', at: 0, value: 0, conditional: false },
    { op: 'load', at: 0, value: 0, conditional: false },
  ],
  [
    { op: 'terminate', at: 0, value: 0, conditional: false },
    { op: 'load', at: 0, value: 0, conditional: false },
  ],
]

/** Takes a step, and gives its result. */
function take({ op, at, value }: MadeUp, words: memory.Words, model: Model): Value {
  const acts: Record<string, () => Value | void> = {
    load: () => memory.load(words, at),
    store: () => memory.store(words, at, value),
    add: () => memory.add(words, at, value),
    or: () => memory.or(words, at, value),
    replace: () => memory.replace(words, at, value, value + 1),
    wait: () => memory.wait(words, at, value, Infinity),
    timed: () => memory.wait(words, at, value, 10),
    notify: () => memory.notify(words, at),
    post: () => model.post(`channel ${at % 2}`, value),
    receive: () => model.receive(`channel ${at % 2}`),
    tryReceive: () => model.tryReceive(`channel ${at % 2}`),
    terminate: () => model.terminate(names[at] ?? ''),
    kill: () => model.kill(names[at] ?? ''),
    ended: () => model.ended(names[at] ?? ''),
    note: () => model.note('note', value),
  }
  return acts[op]?.() ?? null
}

function protocolOf(threads: readonly (readonly MadeUp[])[]): Protocol {
  const body =
    (steps: readonly MadeUp[]) =>
    (words: unknown, model: Model): Value => {
      const results: Value[] = []
      for (const step of steps) {
        const before = results.at(-1)
        if (step.conditional && typeof before === 'number' && before % 2 === 0) continue
        results.push(take(step, words as memory.Words, model))
      }
      return results
    }
  return {
    name: 'made up',
    promise: 'none',
    setUp: () => memory.allocate(3),
    threads: Object.fromEntries(
      names.map((name, thread) => [name, body(threads[thread] ?? [])] as const),
    ),
    check: () => {},
  }
}

/** All ends of a program: the words, each thread's results, and the log. */
function endsOf(
  threads: readonly (readonly MadeUp[])[],
  options: Partial<SearchOptions>,
  more: Partial<Protocol> = {},
): { ends: string[]; steps: number; states: number } {
  const ends = new Set<string>()
  const game = new Game({
    ...protocolOf(threads),
    ...more,
    check: (end, words) => void ends.add(JSON.stringify([...(words as memory.Words), end])),
  })
  const { steps, states, failure } = search(game, options)
  assert.equal(failure, null)
  return { ends: [...ends].sort(), steps, states }
}

describe('what the search leaves out', () => {
  test('makes no difference to the ends that are reached, and saves steps', () => {
    const total = { none: 0, states: 0, all: 0 }
    const reach = fc.property(program, (threads) => {
      const none = endsOf(threads, { reduction: 'none', mostStates: Infinity })
      const states = endsOf(threads, { reduction: 'states' })
      const all = endsOf(threads, { reduction: 'all' })
      assert.deepEqual(states.ends, none.ends)
      assert.deepEqual(all.ends, none.ends)
      assert.ok(states.steps <= none.steps)
      total.none += none.steps
      total.states += states.steps
      total.all += all.steps
    })
    fc.assert(reach, { numRuns: 400, examples: [[longer]] })
    // By how much depends on the programs: usually each halves it. In a small one the second may take a few
    // more: a state that is reached again with more steps to take than before is looked at twice.
    assert.ok(total.all < total.states && total.states < total.none, JSON.stringify(total))
  })

  test('hides no state from an invariant of all states', () => {
    const seenBy = (threads: MadeUp[][], reduction: 'none' | 'all'): string[] => {
      const seen = new Set<string>()
      const always = (words: unknown): void => void seen.add(String(words))
      endsOf(threads, { reduction, mostStates: Infinity }, { always })
      return [...seen].sort()
    }
    const show = fc.property(program, (threads) => {
      assert.deepEqual(seenBy(threads, 'all'), seenBy(threads, 'none'))
    })
    fc.assert(show, { numRuns: 200 })
  })

  test('is nothing where pre-emptions are bounded, but what was reached with fewer', () => {
    const bound = fc.property(program, fc.nat({ max: 3 }), (threads, preemptions) => {
      const none = endsOf(threads, { reduction: 'none', preemptions, mostStates: Infinity })
      assert.deepEqual(endsOf(threads, { preemptions }).ends, none.ends)
    })
    fc.assert(bound, { numRuns: 200 })
  })
})
