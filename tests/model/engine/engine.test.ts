import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as memory from '../memory.js'
import { steps } from '../trace.js'
import { Game } from './game.js'
import type { End, Protocol, Value } from './protocol.js'
import { replay } from './replay.js'
import { judge } from './verdict.js'

type Threads = Protocol<memory.Words>['threads']

const protocolOf = (
  threads: Threads,
  more: Partial<Protocol<memory.Words>> = {},
): Protocol<memory.Words> => ({
  name: 'made up',
  promise: 'none',
  setUp: () => memory.allocate(2),
  threads,
  check: () => {},
  ...more,
})

/** All ends of a protocol, as its check sees them. */
function endsOf(threads: Threads, more: Partial<Protocol<memory.Words>> = {}): End[] {
  const ends: End[] = []
  const check = (end: End): void => void ends.push(end)
  const { failure } = judge(protocolOf(threads, { ...more, check }))
  assert.equal(failure, null)
  return ends
}

/** What is said of each thread in all ends, each once: what it returned, or how it stands. */
function outcomesOf(threads: Threads, more: Partial<Protocol<memory.Words>> = {}): string[] {
  const outcomes = endsOf(threads, more).map((end) =>
    Object.values(end.threads)
      .map((one) => (one.state === 'returned' ? shown(one.value) : one.state))
      .join(' '),
  )
  return [...new Set(outcomes)].sort()
}

function shown(value: Value): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
}

function complaintOf(threads: Threads, more: Partial<Protocol<memory.Words>> = {}): string {
  return judge(protocolOf(threads, more)).failure?.complaint ?? 'none'
}

/** Adds one in two steps. */
function careless(words: memory.Words): void {
  memory.store(words, 0, memory.load(words, 0) + 1)
}

const losesOne: Partial<Protocol<memory.Words>> = {
  check: (_, words) => (memory.load(words, 0) === 2 ? undefined : 'one was lost'),
}

describe('the model checker', () => {
  test('finds the interleaving in which an increment is lost, and none where it is one step', () => {
    const { failure } = judge(protocolOf({ a: careless, b: careless }, losesOne))
    assert.equal(failure?.complaint, 'one was lost')
    assert.equal(failure.schedule, '0.1*2.0')
    const careful = (words: memory.Words): void => void memory.add(words, 0, 1)
    assert.equal(complaintOf({ a: careful, b: careful }, losesOne), 'none')
  })

  test('a failure is replayed by its schedule, in words', () => {
    const wordName = (): string => 'COUNT'
    const game = new Game(protocolOf({ a: careless, b: careless }, { ...losesOne, wordName }))
    assert.deepEqual(replay(game, '0.1*2.0'), [
      'thread 0 is a',
      'thread 1 is b',
      '   1  a: load COUNT: 0',
      '   2  b: load COUNT: 0',
      '   3  b: store COUNT 1: COUNT = 1',
      '   4  a: store COUNT 1',
      'one was lost',
    ])
    assert.match(replay(game, '0').join('\n'), /next {2}a: store COUNT 1/)
    assert.match(replay(game, '0*3').join('\n'), /step 3: 0 cannot move/)
    assert.match(replay(game, 'x').join('\n'), /is no schedule/)
    assert.deepEqual(steps, [])
  })

  test('a bound on pre-emptions is kept: this one needs one', () => {
    const protocol = protocolOf({ a: careless, b: careless }, losesOne)
    assert.equal(judge({ ...protocol, preemptions: 0 }).failure, null)
    assert.notEqual(judge({ ...protocol, preemptions: 1 }).failure, null)
  })

  test('an invariant of all states sees what is over at the end', () => {
    const blink = (words: memory.Words): void => {
      memory.store(words, 0, 1)
      memory.store(words, 0, 0)
    }
    const always = (words: memory.Words): string | void =>
      memory.load(words, 0) === 0 ? undefined : 'it is lit'
    assert.equal(complaintOf({ a: blink }, { always }), 'it is lit')
  })

  test('a thread that throws is a failure', () => {
    const fails = (words: memory.Words): void => assert.equal(memory.load(words, 0), 1, 'not one')
    assert.match(complaintOf({ a: fails }), /^a threw AssertionError.*not one/)
  })
})

describe('in the model', () => {
  test('a sleeper is woken by a notify alone; one that comes before the sleep is lost', () => {
    const ends = outcomesOf({
      sleeper: (words) => memory.wait(words, 0, 0, Infinity),
      waker: (words) => memory.notify(words, 0),
    })
    assert.deepEqual(ends, ['asleep undefined', 'ok undefined'])
  })

  test('a wait sees that the word has moved', () => {
    const ends = outcomesOf({
      sleeper: (words) => memory.wait(words, 0, 0, Infinity),
      waker(words) {
        memory.store(words, 0, 1)
        memory.notify(words, 0)
      },
    })
    assert.deepEqual(ends, ['not-equal undefined', 'ok undefined'])
  })

  test('a wait with a time-out may end by it, as often as the protocol says', () => {
    const twice = (words: memory.Words): string =>
      [memory.wait(words, 0, 0, 5), memory.wait(words, 0, 0, 5)].join()
    assert.deepEqual(outcomesOf({ a: twice }), ['asleep'])
    assert.deepEqual(outcomesOf({ a: twice }, { timeOuts: 2 }), ['timed-out,timed-out'])
    const [end] = endsOf({ a: twice })
    assert.deepEqual(end?.threads['a'], { state: 'asleep', on: 'wait word 0', timed: true })
  })

  test('terminate ends a thread at any step, asleep or not; kill lets it go on for a while', () => {
    const worker = (words: memory.Words): void => {
      memory.add(words, 0, 1)
      memory.wait(words, 1, 0, Infinity)
    }
    const seen = (way: 'terminate' | 'kill') =>
      outcomesOf({
        worker,
        owner(words, model) {
          model[way]('worker')
          const before = memory.load(words, 0)
          model.ended('worker')
          return `${before}${memory.load(words, 0)}`
        },
      })
    assert.deepEqual(seen('terminate'), ['terminated 00', 'terminated 11'])
    assert.deepEqual(seen('kill'), ['terminated 00', 'terminated 01', 'terminated 11'])
  })

  test('messages arrive in order, and receive blocks until there is one', () => {
    const ends = outcomesOf({
      from(_, model) {
        model.post('way', 1)
        model.post('way', { two: 2 })
      },
      to: (_, model) => JSON.stringify([model.receive('way'), model.receive('way')]),
      peek: (_, model) => model.tryReceive('other') ?? 'nothing',
    })
    assert.deepEqual(ends, ['undefined [1,{"two":2}] nothing'])
    assert.deepEqual(outcomesOf({ a: (_, model) => model.receive('way') }), ['asleep'])
  })

  test('notes are in the log in the order in which they were made', () => {
    const note: Threads[string] = (_, model) => model.note('here', 1)
    const logs = endsOf({ a: note, b: note }).map(({ log }) =>
      log.map(({ thread }) => thread).join(''),
    )
    assert.deepEqual(logs.sort(), ['ab', 'ba'])
  })
})

describe('what would make a search worthless is refused', () => {
  test('a thread that catches the exception by which it is taken out', () => {
    const swallows = (words: memory.Words): void => {
      try {
        memory.load(words, 0)
      } catch {
        // As code of a protocol must not.
      }
    }
    assert.match(complaintOf({ swallows }), /^swallows catches the exception/)
    const wraps = (words: memory.Words): void => {
      try {
        memory.load(words, 0)
      } catch (cause) {
        throw new Error('wrapped', { cause })
      }
    }
    assert.match(complaintOf({ wraps }), /^wraps catches the exception/)
    const cleans = (words: memory.Words): void => {
      try {
        memory.load(words, 0)
      } finally {
        memory.store(words, 0, 0)
      }
    }
    assert.match(complaintOf({ cleans }), /^cleans catches the exception/)
  })

  test('a thread that keeps state outside of shared memory, or is asynchronous', () => {
    let count = 0
    const forgetful = (words: memory.Words): void => {
      memory.load(words, count++)
      memory.load(words, 0)
    }
    assert.match(complaintOf({ forgetful }), /keeps state outside of shared memory/)
    assert.match(complaintOf({ later: (async () => {}) as never }), /^later is asynchronous/)
  })

  test('a thread that spins, words that a thread makes, and a thread that is not there', () => {
    const spins = (words: memory.Words): void => {
      while (memory.load(words, 0) === 0);
    }
    assert.match(complaintOf({ spins }), /^spins takes more than 2000 steps/)
    assert.match(complaintOf({ makes: () => void memory.allocate(1) }), /^makes makes shared words/)
    assert.match(complaintOf({ a: (_, model) => model.kill('b') }), /There is no thread 'b'/)
  })

  test('a search that is not finished', () => {
    const verdict = judge(protocolOf({ a: careless, b: careless }), { mostStates: 3 })
    assert.equal(verdict.finished, false)
    assert.match(verdict.failure?.complaint ?? '', /not finished: there are more than 3 states/)
  })
})
