/**
 * A queue that is frozen while its worker takes works, and thawed: `Serving` at its signal points, the freeze of
 * `worker/control.ts` (in the order of `serveUntilStopped` and `freezeBelow`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Model, Protocol } from '../engine/protocol.js'
import type * as memory from '../memory.js'
import {
  callsIn,
  ringCode,
  ringsOf,
  ringWords,
  slotStateName,
  type RingCode,
  type Rings,
} from './ring-code.js'
import { Queue, servingOf } from './ring-queue.js'
import { rowWordName } from './row-words.js'
import { workerCode, type WorkerCode } from './worker-code.js'

const seats = ['worker']
const ids = [1, 2]
/** The rows of the queue and of its worker. */
const queueRow = 1
const workerRow = 2

interface Context extends Rings {
  readonly table: memory.Words
}

export default async function queueFreeze(code: Code): Promise<Protocol<Context>> {
  const real = await ringCode(code)
  const rows = await workerCode(code)
  const { ask, at, claim, claimOwner, controlOf, emptyTable, Field, Flag, hasFlag } = rows
  const { isStanding, ring, take, wake } = rows
  const told = ringWords(real, seats)

  return {
    name: 'queue-freeze',
    promise:
      'While a queue is frozen, and its worker stands, no handler is called; and all its works run when ' +
      'it is thawed.',
    setUp() {
      const table = emptyTable()
      claim(table, claimOwner(table, 0))
      for (const step of ['loaded', 'start', 'enter'] as const)
        take(table, at(workerRow, Field.CONTROL), step)
      return { ...ringsOf(real, seats), table }
    },
    // All of them are more than 2 million states.
    preemptions: 3,
    threads: {
      worker: (context, model) => worker(real, rows, context, model),
      owner(context, model) {
        const { table } = context
        const queue = new Queue(real, context, model, () => {
          if (wake(table, workerRow)) model.post('look', null)
        })
        const request = (what: 'freeze' | 'thaw'): void => {
          ask(table, queueRow, what)
          ring(table, workerRow)
          model.post('look', null)
        }
        const calls = (): number => ids.reduce((sum, id) => sum + callsIn(context, id), 0)
        queue.submit(1)
        request('freeze')
        while (!isStanding(table, workerRow)) model.receive('told')
        const before = calls()
        queue.submit(2)
        const after = calls()
        request('thaw')
        assert.equal(after, before, 'a handler was called in a frozen queue')
      },
    },
    check({ threads }, context) {
      assert.equal(threads['owner']?.state, 'returned', 'the owner waits for who never stands')
      for (const id of ids) assert.equal(callsIn(context, id), 1, `work ${id} has not run`)
      assert.equal(threads['worker']?.state, 'asleep')
      assert.ok(!hasFlag(controlOf(context.table, workerRow), Flag.PARKED), 'it stands for ever')
    },
    ...told,
    wordName: (index, context, words) =>
      words === context.table ? rowWordName(rows, index) : told.wordName(index, context, words),
    valueName: (value, index) => slotStateName(real, value, index),
  }
}

/** As `serveUntilStopped`. */
function worker(real: RingCode, rows: WorkerCode, context: Context, model: Model): void {
  const { controlOf, doze, finish, Flag, hasFlag, listen, mustStand, rouse, stand } = rows
  const { table } = context
  const shouldStop = (): boolean => hasFlag(controlOf(table, workerRow), Flag.STOP)
  const self = {
    shouldStop,
    listen: () => listen(table, workerRow),
    mustStand: () => mustStand(table, workerRow, 'work'),
  }
  const serving = servingOf(real, context, model, 0, { self })
  for (;;) {
    stand(table, workerRow, () => model.post('told', 'stands'), 'work')
    const heard = listen(table, workerRow)
    const pumped = serving.pump()
    if (shouldStop()) break
    if (pumped !== 'empty' || !serving.lieDown()) continue
    // As `idle`, without the moment before it in which it is blocked.
    doze(table, workerRow)
    if (listen(table, workerRow) === heard) model.receive('look')
    rouse(table, workerRow)
    serving.getUp()
  }
  finish(table, workerRow, 0)
  model.post('told', 'gone')
}
