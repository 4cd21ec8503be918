import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as memory from '#memory'
import { after, Flag, hasFlag, State, stateName, stateOf, take, type Step } from './state.js'
import { checkForLeaks } from './leaks.fixture.js'

checkForLeaks()

const states = Object.values(State)
const flags = Object.values(Flag)
const everyWord = states.flatMap((state) =>
  Array.from({ length: 2 ** flags.length }, (_, bits) =>
    flags.reduce((word, flag, index) => (bits & (1 << index) ? word | flag : word), state),
  ),
)
const { ENTERED, START, STOP, PARK, PARKED, DOZING, FREEZE, ANYWHERE, KILL } = Flag

/** The whole table, written out: what each step needs, and what it leaves. */
const table: Record<
  Step,
  { from?: number[]; needs?: number; not?: number; to?: number; set?: number; clear?: number }
> = {
  booted: { from: [State.BOOTING], to: State.SPARE },
  adopt: { from: [State.SPARE], to: State.BOOTING },
  loaded: { from: [State.BOOTING], to: State.CREATED },
  enter: {
    from: [State.CREATED],
    needs: START,
    not: STOP | PARK,
    to: State.RUNNING,
    set: ENTERED,
  },
  finish: { to: State.EXITED, clear: PARKED | DOZING },
  parked: { not: PARKED, set: PARKED },
  resumed: { needs: PARKED, not: PARK, clear: PARKED },
  doze: { not: DOZING, set: DOZING },
  rouse: { needs: DOZING, clear: DOZING },
  start: { not: START, set: START },
  stop: { not: STOP, set: STOP, clear: PARK },
  park: { not: STOP | PARK, set: PARK | START },
  unpark: { needs: PARK, clear: PARK },
  freeze: { not: STOP | FREEZE, set: FREEZE },
  'freeze-anywhere': { not: STOP | ANYWHERE, set: FREEZE | ANYWHERE },
  thaw: { needs: FREEZE, clear: FREEZE | ANYWHERE },
  kill: { not: KILL, set: KILL },
}
const steps = Object.keys(table) as Step[]

/** Where the table leads; of an exited worker only what its thread left asleep can change. */
function expected(word: number, step: Step): number | null {
  const { from, needs = 0, not = 0, to, set = 0, clear = 0 } = table[step]
  const state = stateOf(word)
  if (state === State.EXITED && !['rouse', 'resumed'].includes(step)) return null
  if (from !== undefined && !from.includes(state)) return null
  if ((word & needs) !== needs || hasFlag(word, not)) return null
  return (((word & ~7) | (to ?? state)) & ~clear) | set
}

describe('the control word', () => {
  test('takes each legal step from each word, and no illegal one', () => {
    for (const word of everyWord) {
      for (const step of steps) {
        const shown = `${step} from ${stateName(word)}, ${word.toString(2)}`
        const next = expected(word, step)
        assert.equal(after(word, step), next, shown)
        const words = memory.allocate(1)
        memory.store(words, 0, word)
        assert.equal(take(words, 0, step), next !== null, shown)
        assert.equal(memory.load(words, 0), next ?? word, `${shown}: illegal, and left alone`)
      }
    }
  })

  test('INV-KT-3: no step clears a request to start or to stop, or the mark of entry', () => {
    for (const word of everyWord) {
      for (const step of steps) {
        const next = after(word, step)
        if (next === null) continue
        for (const flag of [ENTERED, START, STOP]) {
          assert.ok(!hasFlag(word, flag) || hasFlag(next, flag))
        }
      }
    }
  })

  test('KT-24, KT-9: a stop lets a parked worker go in the same step, and none parks after it', () => {
    for (const word of everyWord.filter((each) => stateOf(each) !== State.EXITED)) {
      const stopped = after(word, 'stop') ?? word | STOP
      if (!hasFlag(word, STOP)) assert.ok(!hasFlag(stopped, PARK))
      assert.equal(after(stopped, 'park'), null)
    }
  })

  test('BUG-KT-7: a parked thread cannot go on while it is told to park', () => {
    for (const word of everyWord.filter((each) => hasFlag(each, PARK))) {
      assert.equal(after(word, 'resumed'), null)
      assert.equal(after(word, 'enter'), null)
    }
  })

  test('KT-11: a stop that is set before entry makes entry impossible for ever', () => {
    const words = memory.allocate(1)
    take(words, 0, 'loaded')
    take(words, 0, 'start')
    take(words, 0, 'stop')
    assert.equal(take(words, 0, 'enter'), false)
    take(words, 0, 'finish')
    assert.equal(hasFlag(memory.load(words, 0), Flag.ENTERED), false)
  })

  test('KT-16: a second request changes nothing, and no request changes an exited worker', () => {
    for (const word of everyWord) {
      for (const step of ['start', 'stop', 'park'] as const) {
        const next = after(word, step)
        if (next !== null) assert.equal(after(next, step), null)
        if (stateOf(word) === State.EXITED) assert.equal(next, null)
      }
    }
  })

  test('entry is marked in the same step that enters, and survives the exit', () => {
    const words = memory.allocate(1)
    take(words, 0, 'loaded')
    take(words, 0, 'start')
    take(words, 0, 'enter')
    assert.equal(memory.load(words, 0), State.RUNNING | Flag.START | Flag.ENTERED)
    take(words, 0, 'finish')
    assert.equal(memory.load(words, 0), State.EXITED | Flag.START | Flag.ENTERED)
  })
})
