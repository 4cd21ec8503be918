import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
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

  test('is not the one that a test puts in its place', () => {
    const url = JSON.stringify(new URL('clock.js', import.meta.url).href)
    const text = `import * as clock from ${url}
      for (const name of ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval']) {
        globalThis[name] = () => 1
      }
      delete globalThis.setImmediate
      delete globalThis.clearImmediate
      performance.now = () => 0
      const alive = clock.keepAlive()
      const begun = clock.now()
      await new Promise((resolve) => clock.deadline(20, resolve))
      await clock.nextTurn()
      alive.cancel()
      console.log(clock.now() - begun > 15)`
    const node = [process.execPath, ['--input-type=module', '-e', text]] as const
    assert.equal(execFileSync(...node, { encoding: 'utf8', timeout: 10_000 }), 'true\n')
  })

  test('the next turn comes after what was ready', async () => {
    const seen: string[] = []
    setImmediate(() => seen.push('ready'))
    await nextTurn()
    assert.deepEqual(seen, ['ready'])
  })
})
