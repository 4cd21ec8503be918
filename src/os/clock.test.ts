import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { after, deadline, every, keepAlive, lostMs, nextTurn, now, runTime } from './clock.js'
import { MessageChannel } from './thread.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

/** Holds this thread up. */
const standStill = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** Resolves when a deadline has passed. */
async function passes(ms: number): Promise<void> {
  const alive = keepAlive()
  await new Promise<void>((resolve) => {
    deadline(ms, resolve)
  })
  alive.cancel()
}

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
    // The port does so only until the answer is there.
    const alive = keepAlive()
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
    alive.cancel()
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

  test('a deadline does not count the time in which its thread stood still, and is not early (SG-10)', async () => {
    const begun = now()
    const [lostBefore, runBefore] = [lostMs(), runTime()]
    const passed = passes(150)
    standStill(1000)
    await passed
    // In this order: what a busy system takes between two of them is on the right side.
    const ranMs = runTime() - runBefore
    const lost = lostMs() - lostBefore
    const tookMs = now() - begun
    // A thread that was held up just before has a tick of this counted as its own.
    assert.ok(tookMs >= 1090, `it passed after ${tookMs} ms, of which the thread stood still 1000`)
    assert.ok(lost >= 900, `${lost} ms were lost`)
    // What ran since: the deadline's time, and what a busy system made of it.
    assert.ok(ranMs <= tookMs - 900, `it ran for ${ranMs} ms of ${tookMs}`)
  })

  test('a deadline passes in a thread that is held up again and again', async () => {
    let pieces = 0
    const passed = passes(200).then(() => pieces)
    const heldUp = every(1, () => {
      standStill(150)
      if (++pieces > 100) heldUp.cancel()
    })
    const piecesThen = await passed
    heldUp.cancel()
    assert.ok(piecesThen <= 20, `it took ${piecesThen} pieces of 150 ms`)
  })

  test('looks whether the thread runs only while a deadline is open', () => {
    const url = JSON.stringify(new URL('clock.js', import.meta.url).href)
    const text = `import * as clock from ${url}
      import { readFileSync } from 'node:fs'
      const status = () => readFileSync('/proc/self/status', 'utf8')
      const wakes = () => Number(/^voluntary_ctxt_switches:\\s*(\\d+)/m.exec(status())[1])
      const during = async (ms) => {
        const before = wakes()
        await new Promise((resolve) => setTimeout(resolve, ms))
        return wakes() - before
      }
      await during(300)
      const limit = clock.deadline(3_000, () => {})
      const open = await during(1000)
      limit.cancel()
      await during(300)
      console.log(JSON.stringify([open, await during(1000)]))`
    const node = [process.execPath, ['--input-type=module', '-e', text]] as const
    const out = execFileSync(...node, { encoding: 'utf8', timeout: 20_000 })
    const [open, closed] = JSON.parse(out) as [number, number]
    assert.ok(open >= 10, `${open} looks in a second with a deadline`)
    assert.ok(closed <= 6, `${closed} in a second without one`)
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
