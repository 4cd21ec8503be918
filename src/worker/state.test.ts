import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as memory from '#memory'
import {
  after,
  Flag,
  hasFlag,
  request,
  State,
  stateName,
  stateOf,
  take,
  type Step,
} from './state.js'
import { checkForLeaks } from './leaks.fixture.js'

checkForLeaks()

const states = Object.values(State)
const requests = [0, Flag.START, Flag.STOP, Flag.START | Flag.STOP]
const everyWord = states.flatMap((state) =>
  requests.flatMap((flags) => [state | flags, state | flags | Flag.ENTERED]),
)
const steps: Step[] = ['loaded', 'enter', 'finish']

/** The whole table, written out: which step is allowed in which state, and where it leads. */
const allowed: Record<Step, (state: number, flags: number) => number | null> = {
  loaded: (state) => (state === State.BOOTING ? State.CREATED : null),
  enter: (state, flags) => (state === State.CREATED && flags === Flag.START ? State.RUNNING : null),
  finish: (state) => (state === State.EXITED ? null : State.EXITED),
}

describe('the control word', () => {
  test('takes each legal step from each state, and no illegal one', () => {
    for (const word of everyWord) {
      for (const step of steps) {
        const flags = word & (Flag.START | Flag.STOP)
        const expected = allowed[step](stateOf(word), flags)
        const next = after(word, step)
        const shown = `${step} from ${stateName(word)} with flags ${flags}`
        assert.equal(next === null ? null : stateOf(next), expected, shown)
        const words = memory.allocate(1)
        memory.store(words, 0, word)
        assert.equal(take(words, 0, step), expected !== null, shown)
        assert.equal(
          memory.load(words, 0),
          next ?? word,
          `${shown}: an illegal step leaves the word alone`,
        )
      }
    }
  })

  test('INV-KT-3: no step clears a request or the mark of entry', () => {
    for (const word of everyWord) {
      for (const step of steps) {
        const next = after(word, step)
        if (next === null) continue
        for (const flag of Object.values(Flag))
          assert.ok(!hasFlag(word, flag) || hasFlag(next, flag))
      }
    }
  })

  test('KT-11: a stop that is set before entry makes entry impossible for ever', () => {
    const words = memory.allocate(1)
    take(words, 0, 'loaded')
    request(words, 0, Flag.START)
    request(words, 0, Flag.STOP)
    assert.equal(take(words, 0, 'enter'), false)
    take(words, 0, 'finish')
    assert.equal(hasFlag(memory.load(words, 0), Flag.ENTERED), false)
  })

  test('KT-16: requests are idempotent and legal in every state', () => {
    for (const word of everyWord) {
      for (const flag of [Flag.START, Flag.STOP] as const) {
        const words = memory.allocate(1)
        memory.store(words, 0, word)
        request(words, 0, flag)
        request(words, 0, flag)
        assert.equal(memory.load(words, 0), word | flag)
      }
    }
  })

  test('entry is marked in the same step that enters, and survives the exit', () => {
    const words = memory.allocate(1)
    take(words, 0, 'loaded')
    request(words, 0, Flag.START)
    take(words, 0, 'enter')
    assert.equal(memory.load(words, 0), State.RUNNING | Flag.START | Flag.ENTERED)
    take(words, 0, 'finish')
    assert.equal(memory.load(words, 0), State.EXITED | Flag.START | Flag.ENTERED)
  })
})
