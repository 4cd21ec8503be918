import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KILLED, verdict, type Remains } from './exit.js'
import { EINTR } from './control.js'
import { Flag, State } from './state.js'
import { checkForLeaks } from './leaks.fixture.js'

checkForLeaks()

const uncaught = new Error('uncaught')
const outOfMemory = Object.assign(new Error('full'), { code: 'ERR_WORKER_OUT_OF_MEMORY' })
const told = new RangeError('told')

const bare: Remains = {
  name: 'w',
  control: State.RUNNING | Flag.ENTERED,
  exitCode: 0,
  nodeCode: 1,
  killed: false,
  ownerKilled: null,
  told: null,
  uncaught: null,
  left: null,
  ended: null,
}
const exited = State.EXITED | Flag.ENTERED

/**
 * Every way a thread can end: what remains of it, its exit code, and the code of the error behind
 * it.
 */
const ways: [string, Partial<Remains>, number, string | null][] = [
  ['the function returned', { control: exited, exitCode: 7 }, 7, null],
  ['the function returned, then a kill', { control: exited, exitCode: 7, killed: true }, 7, null],
  ['the function threw', { control: exited, exitCode: 1, told }, 1, 'told'],
  ['a stop before entry', { control: State.EXITED, exitCode: EINTR }, EINTR, null],
  ['process.exit(3)', { control: exited, exitCode: 3, left: 3 }, 3, 'ERR_WORKER_EXITED'],
  [
    'process.exit(3) at the gate',
    { control: State.EXITED, exitCode: EINTR, left: 3 },
    EINTR,
    'ERR_WORKER_EXITED',
  ],
  [
    'an uncaught error',
    { control: exited, exitCode: 1, left: 1, uncaught, ended: uncaught },
    1,
    'ERR_WORKER_DIED',
  ],
  [
    'an uncaught error that was handled, then a return',
    { control: exited, exitCode: 4, uncaught },
    4,
    null,
  ],
  ['a full heap', { ended: outOfMemory }, 1, 'ERR_WORKER_OUT_OF_MEMORY'],
  [
    'a full heap before entry',
    { control: State.CREATED, ended: outOfMemory },
    EINTR,
    'ERR_WORKER_OUT_OF_MEMORY',
  ],
  [
    'a full heap after an error that was handled',
    { ended: outOfMemory, uncaught },
    1,
    'ERR_WORKER_OUT_OF_MEMORY',
  ],
  ['process.exit(7) without our listener', { nodeCode: 7 }, 7, 'ERR_WORKER_EXITED'],
  ['a kill', { killed: true }, KILLED, 'ERR_WORKER_KILLED'],
  ['a kill at the gate', { control: State.CREATED, killed: true }, EINTR, 'ERR_WORKER_KILLED'],
  ['a kill while it loads', { control: State.BOOTING, killed: true }, EINTR, 'ERR_WORKER_KILLED'],
  ['a kill at the load deadline', { control: State.BOOTING, killed: true, told }, EINTR, 'told'],
  ['a termination by somebody else', {}, KILLED, 'ERR_WORKER_DIED'],
]

describe("a thread's end", () => {
  for (const [way, remains, code, error] of ways) {
    test(`${way}: exit code ${code}, ${error ?? 'no error'}`, () => {
      const end = verdict({ ...bare, ...remains })
      assert.equal(end.code, code)
      const found: (Error & { code?: string }) | null = end.error
      assert.equal(found?.code ?? found?.message ?? null, error)
    })
  }

  test('says which limit the system set, when it made no thread', () => {
    for (const [why, code] of [
      ['EMFILE', 'EMFILE'],
      ['EAGAIN', 'EAGAIN'],
      ['ELSE', 'ERR_WORKER_INIT'],
    ]) {
      const ended = Object.assign(new Error(`Worker initialization failure: ${why}`), {
        code: 'ERR_WORKER_INIT_FAILED',
      })
      const { error } = verdict({ ...bare, control: State.BOOTING, ended })
      assert.equal((error as { code?: string } | null)?.code, code)
      assert.equal(error?.cause, ended)
    }
  })
})
