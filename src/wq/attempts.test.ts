import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UserWorkerError } from '../errors.js'
import { keepAlive } from '../os/clock.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { Attempts } from './attempts.js'

checkForLeaks()

/** A system that refuses so many attempts, each with this error. */
function refusing(times: number, error: Error): { attempt: () => Promise<void>; made: number[] } {
  const made: number[] = []
  const attempt = async (): Promise<void> => {
    made.push(performance.now())
    if (made.length <= times) throw error
  }
  return { attempt, made }
}

async function outcomes(count: number, attempt: () => Promise<void>): Promise<(Error | null)[]> {
  const attempts = new Attempts()
  const alive = keepAlive()
  const all = await Promise.all(Array.from({ length: count }, () => attempts.make(attempt)))
  alive.cancel()
  return all
}

const initFailed = Object.assign(new Error('ENOMEM'), { code: 'ERR_WORKER_INIT_FAILED' })
const transient = [
  new UserWorkerError('EAGAIN', 'no thread'),
  new UserWorkerError('EMFILE', 'no descriptor'),
  new UserWorkerError('ERR_WORKER_INIT', 'no memory', { cause: initFailed }),
]

describe('a thread that the system refuses', () => {
  test('is tried three times more, after 5, 10 and 15 ms (WQ-61)', async () => {
    for (const error of transient) {
      const { attempt, made } = refusing(9, error)
      assert.deepEqual(await outcomes(1, attempt), [error])
      const waits = made.slice(1).map((at, index) => at - (made[index] ?? 0))
      assert.equal(waits.length, 3)
      assert.ok(
        [5, 10, 15].every((ms, index) => (waits[index] ?? 0) >= ms - 1),
        waits.join(),
      )
      assert.deepEqual(await outcomes(1, refusing(3, error).attempt), [null])
    }
  })

  test('is not tried again where that cannot help', async () => {
    const denied = Object.assign(new Error('denied'), { code: 'ERR_ACCESS_DENIED' })
    const forGood = [
      new UserWorkerError('ERR_WORKER_INIT', 'not allowed', { cause: denied }),
      new UserWorkerError('ERR_MODULE_LOAD', 'no module'),
      new TypeError('wrong'),
    ]
    for (const error of forGood) {
      const { attempt, made } = refusing(9, error)
      assert.deepEqual(await outcomes(1, attempt), [error])
      assert.equal(made.length, 1)
    }
  })

  test('is tried by one for all that are refused at a time', async () => {
    const error = transient[0] as Error
    const { attempt, made } = refusing(1e9, error)
    assert.deepEqual(await outcomes(100, attempt), Array<Error>(100).fill(error))
    assert.equal(made.length, 100 + 3)
    const passing = refusing(102, error)
    assert.deepEqual(await outcomes(100, passing.attempt), Array<null>(100).fill(null))
    assert.equal(passing.made.length, 103 + 99, 'the others try again once one has succeeded')
  })
})
