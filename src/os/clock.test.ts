import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { after, deadline, every, keepAlive, nextTurn, now } from './clock.js'
import { MessageChannel } from './thread.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

describe('the clock', () => {
  test('never goes back, and counts milliseconds', async () => {
    const begun = now()
    const alive = keepAlive()
    await new Promise<void>((resolve) => {
      after(30, resolve)
    })
    alive.cancel()
    assert.ok(now() - begun >= 29 && now() - begun < 10_000)
  })

  test('a timer that was cancelled does not fire, and one that repeats does until then', async () => {
    let [once, often] = [0, 0]
    const alive = keepAlive()
    after(5, () => once++).cancel()
    await new Promise<void>((resolve) => {
      const timer = every(2, () => {
        if (++often < 3) return
        timer.cancel()
        after(20, resolve)
      })
    })
    alive.cancel()
    assert.deepEqual([once, often], [0, 3])
  })

  test('a deadline that passed while the thread stood still hears first what arrived meanwhile', async () => {
    const { port1, port2 } = new MessageChannel()
    const seen: string[] = []
    const done = new Promise<void>((resolve) => {
      port1.once('message', () => seen.push('answer'))
      deadline(10, () => {
        seen.push('deadline')
        resolve()
      })
    })
    port2.postMessage('answer')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
    await done
    port1.close()
    assert.deepEqual(seen, ['answer', 'deadline'])
  })

  test('a deadline that was cancelled does not pass, even in its last turn', async () => {
    let passed = false
    const limit = deadline(1, () => {
      passed = true
    })
    const alive = keepAlive()
    await new Promise<void>((resolve) => {
      after(1, () => {
        limit.cancel()
        after(10, resolve)
      })
      // Both timers are due when the loop turns again, and run in the same turn.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    })
    alive.cancel()
    assert.equal(passed, false)
  })

  test('the next turn comes after what was ready', async () => {
    const seen: string[] = []
    setImmediate(() => seen.push('ready'))
    await nextTurn()
    assert.deepEqual(seen, ['ready'])
  })
})
