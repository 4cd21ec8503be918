/**
 * A spare that becomes a worker, is stopped, and may die at any time (`nominate` in `worker/control.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, End, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import {
  judged,
  oneWorker,
  passesGate,
  row,
  startAndStop,
  telling,
  workerCode,
  type WorkerCode,
} from './worker-code.js'

export default async function adoption(code: Code): Promise<Protocol<memory.Words>> {
  const real = await workerCode(code)
  const { at, claim, controlOf, EINTR, Field, finish, Flag, hasFlag } = real
  const { nominate, State, stateOf, take } = real
  const control = at(row, Field.CONTROL)
  const numberOf = (words: memory.Words): number => memory.load(words, at(row, Field.ID))
  return {
    name: 'adoption',
    promise:
      'A spare runs nothing before it is somebody, its number is never seen with the state of ' +
      'another, and whenever it dies its owner can tell whether the function was called.',
    setUp: () => oneWorker(real),
    threads: {
      spare(words, model) {
        take(words, control, 'booted')
        model.post('told', 'booted')
        model.receive('port') // adopt
        take(words, control, 'adopt')
        take(words, control, 'loaded')
        if (!passesGate(real, words, () => model.receive('port'))) return finish(words, row, EINTR)
        model.note('called', numberOf(words))
        return finish(words, row, 7)
      },
      owner(words, model) {
        // It boots, or dies while it does: then there is nothing to adopt.
        if (model.receive('told') === 'gone' || !nominate(words, row)) return null
        model.note('adopted', numberOf(words))
        model.post('port', 'adopt')
        startAndStop(real, words, () => model.post('port', 'look'))
        model.ended('spare')
        return judged(real, words)
      },
      death(words, model) {
        // It does not always come, or a request that is lost would not show.
        if (hasFlag(controlOf(words, row), Flag.STOP)) return
        model.kill('spare')
        model.ended('spare')
        model.post('told', 'gone')
      },
      // Another thread makes a worker of its own, and looks at this one.
      other(words) {
        const own = memory.load(words, at(claim(words, 0), Field.ID))
        const word = controlOf(words, row)
        return [own, stateOf(word), stateOf(word) === State.CREATED ? numberOf(words) : null]
      },
    },
    check: (end, words) => check(real, end, words),
    ...telling(real),
  }
}

function check(real: WorkerCode, { threads, log }: End, words: memory.Words): void {
  const { controlOf, EINTR, Flag, hasFlag, KILLED, State } = real
  const { spare, owner, other } = threads
  assert.notEqual(spare?.state, 'asleep', 'the spare waits for ever')
  assert.ok(owner?.state === 'returned' && other?.state === 'returned', 'somebody is stuck')
  const adopted = log.find(({ name }) => name === 'adopted')?.value
  const called = log.find(({ name }) => name === 'called')?.value
  if (called !== undefined) assert.equal(called, adopted, 'it ran as somebody else')
  const [own, state, number] = other.value as [number, number, number | null]
  assert.notEqual(own, adopted, 'a number was given twice')
  if (state === State.CREATED)
    assert.equal(number, adopted, 'it was seen under the number of a spare')
  if (adopted === undefined) {
    assert.equal(owner.value, null)
    return
  }
  const entered = hasFlag(controlOf(words, row), Flag.ENTERED)
  assert.ok(entered || called === undefined, 'it was called, and does not look so')
  const codes = entered ? [7, KILLED] : [EINTR]
  assert.ok(
    codes.includes(owner.value as number),
    `${JSON.stringify(owner.value)} is no code for this`,
  )
}
