import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from '../os/thread.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf } from './module.fixture.js'
import { UserWorker } from './index.js'

checkForLeaks()

const rounds = 41
const untilStopped = functionOf('async (data, self) => self.sleep(60000)')

/** The median time of a step that comes a moment after what prepares it, in milliseconds. */
async function medianOf(prepare: (round: number) => Promise<() => Promise<unknown>>) {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const step = await prepare(round)
    await sleep(5)
    const begun = performance.now()
    await step()
    times.push(performance.now() - begun)
  }
  return times.sort((a, b) => a - b)[(rounds - 1) / 2] ?? Infinity
}

test('stop of an idle worker takes at most 5 ms at the median, to its exit event', async (t: TestContext) => {
  const ours = await medianOf(async (round) => {
    const worker = await UserWorker.create(untilStopped)
    if (round % 2 === 0) await worker.start()
    return () => worker.stop()
  })
  // Where others use the processors, a bare thread of Node takes longer to end, too.
  const bare = await medianOf(async () => {
    const thread = new Worker('setInterval(() => {}, 60000)', { eval: true })
    await once(thread, 'online')
    return () => thread.terminate()
  })
  t.diagnostic(
    `stop of an idle worker: p50 ${ours.toFixed(2)} ms, a bare thread ${bare.toFixed(2)}`,
  )
  assert.ok(ours <= Math.max(5, 3 * bare), `${ours} ms, and ${bare} ms for a bare thread`)
})
