/**
 * A program that is stopped by its test in the middle of everything: works with keys and with
 * time-outs, workers that are idle, one that is being made, one that is being stopped, and a queue
 * that is being closed. Each of these has a limit in time that the stop alone would exceed.
 *
 * It prints lines of JSON, and is told by lines what comes next.
 */
import { openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { UserWorker, WorkQueue, type Work } from 'userworker'
import type * as Handlers from './handlers.fixture.js'

const [beatFile = '', limit = ''] = process.argv.slice(2)
/** Longer than anything takes here, and shorter than the process will be stopped. */
const limitMs = Number(limit)
const handlers = new URL('./handlers.fixture.js', import.meta.url)
const make = (options: object): WorkQueue<typeof Handlers> => new WorkQueue(handlers, options)
const words = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count))
const say = (said: object): void => console.log(JSON.stringify(said))
const told = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const hear = async (line: string): Promise<void> => {
  const next = await told.next()
  if (next.value !== line) throw new Error(`told ${next.value}, and not ${line}`)
}
const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(String, (error: Error & { code?: string }) => error.code ?? error.message)

// The load: two workers, twelve works under way in four lines, each with a limit.
const mostWorks = 200_000
const runs = words(mostWorks)
const lines = Array.from({ length: 4 }, () => ({ words: words(2), next: 1 }))
const ends = new Map<string, number>()
const load = make({ name: 'load', maxWorkers: 2 })
let submitted = 0
const until = new AbortController()

async function driver(number: number): Promise<void> {
  const line = lines[number % lines.length] as (typeof lines)[0]
  while (!until.signal.aborted && submitted < mostWorks) {
    const args = [runs, submitted++, line.words, line.next++] as const
    const result = load.run('step', [...args], { key: number % lines.length, timeoutMs: limitMs })
    const end = await outcome(result)
    ends.set(end, (ends.get(end) ?? 0) + 1)
  }
}
const drivers = Array.from({ length: 12 }, (_, number) => driver(number))

// A worker's heart.
const heart = make({ name: 'heart', maxWorkers: 1 })
const stopBeating = words(1)
const beats = heart.run('beat', [openSync(beatFile, 'w'), stopBeating])

// Three workers, of which two leave after so long without a work.
const idle = make({ name: 'idle', maxWorkers: 3, minWorkers: 3, idleTimeoutMs: limitMs })
await idle.ready()
idle.setMaxWorkers({ bounded: 3 })
const leavers = make({ name: 'leaver', maxWorkers: 3, idleTimeoutMs: limitMs })
const meetAll = async (): Promise<void> => {
  const here = words(1)
  await Promise.all([1, 2, 3].map(() => leavers.run('meet', [3, here])))
}
await meetAll()
const idsOf = (queue: WorkQueue<typeof Handlers>): (number | null)[] =>
  queue.workers().map((worker) => worker.osThreadId)
const ids = (): object => ({ load: idsOf(load), idle: idsOf(idle), leavers: idsOf(leavers) })

// What takes a sixth of its limit, and is under way when everything is stopped.
const partMs = Math.round(limitMs / 6)
const text = (source: string): string =>
  `data:text/javascript,${encodeURIComponent(`import { linger } from ${JSON.stringify(handlers.href)};${source}`)}`
const stopping = await UserWorker.create(
  text(`export default async (_, self) => { await self.sleep(1e8); linger(${partMs}); return 7 }`),
)
await stopping.start()
const closing = make({ name: 'closing', maxWorkers: 1, closeDeadlineMs: limitMs })
await closing.run('linger', [1])

say({ ready: true })
await hear('prime')
await meetAll()
const slow: Work = closing.enqueue('linger', [partMs], { timeoutMs: limitMs })
const underWay = {
  slow: outcome(slow.result),
  close: closing.close().then(({ stuck }) => stuck.length),
  stop: outcome(stopping.stop({ deadlineMs: limitMs })),
  create: outcome(
    UserWorker.create(text(`linger(${partMs}); export default () => 3`), {
      loadDeadlineMs: limitMs,
    }).then(async (worker) => {
      await worker.start()
      return await worker.join()
    }),
  ),
}
say({ primed: ids() })
await hear('report')
say({ after: ids() })
const results = Object.fromEntries(
  await Promise.all(Object.entries(underWay).map(async ([name, end]) => [name, await end])),
) as object
until.abort()
await Promise.all(drivers)
const counts = [...runs.subarray(0, submitted)]
say({
  report: {
    ...results,
    submitted,
    lost: counts.filter((count) => count === 0).length,
    twice: counts.filter((count) => count > 1).length,
    ends: Object.fromEntries(ends),
  },
})
const left = (): boolean => idsOf(leavers).length === 1
while (!left()) await new Promise((resolve) => setTimeout(resolve, 20))
Atomics.store(stopBeating, 0, 1)
Atomics.notify(stopBeating, 0)
say({ end: { beats: await beats, leavers: idsOf(leavers).length, idle: idsOf(idle).length } })
await Promise.all([load, heart, idle, leavers].map((queue) => queue.close()))
process.exit(0)
