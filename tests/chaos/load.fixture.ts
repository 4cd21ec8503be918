/**
 * A program that keeps two threads busy until it is told to end, and then says what came of its works:
 * each has a key, a limit in time, and counts how often it ran.
 *
 * Its argument: the limit of each work, in milliseconds.
 */
import { createInterface } from 'node:readline'
import { UserWorker, WorkQueue } from 'userworker'
import type * as Handlers from './handlers.fixture.js'

const timeoutMs = Number(process.argv[2])
const say = (said: object): void => console.log(JSON.stringify(said))
const words = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count))
const mostWorks = 200_000
const runs = words(mostWorks)
const lines = Array.from({ length: 4 }, () => ({ words: words(2), next: 1 }))
const ends = new Map<string, number>()
const note = (end: string): number => ends.set(end, (ends.get(end) ?? 0) + 1).size
const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(String, (error: Error & { code?: string }) => error.code ?? error.message)
const module = new URL('./handlers.fixture.js', import.meta.url)
const queue = new WorkQueue<typeof Handlers>(module, { maxWorkers: 2, idleTimeoutMs: 50 })
const waiter = text(
  `async (_, self) => { while (!self.shouldStop()) await self.sleep(3); return 3 }`,
)
let submitted = 0
let isOver = false

function text(source: string): string {
  return `data:text/javascript,${encodeURIComponent(`export default ${source}`)}`
}

/** Works one after the other, with pauses in which workers go to sleep, and sometimes leave. */
async function drive(number: number): Promise<void> {
  const line = lines[number % lines.length] as (typeof lines)[0]
  for (let turn = 0; !isOver && submitted < mostWorks; turn++) {
    const args = [runs, submitted++, line.words, line.next++] as const
    const options = { key: number % lines.length, timeoutMs }
    note(await outcome(queue.run('step', [...args], options)))
    if (turn % 8 === 7) await new Promise((resolve) => setTimeout(resolve, number * 10))
  }
}

/** Workers that are made, parked, and stopped. */
async function make(): Promise<void> {
  while (!isOver) {
    const worker = await UserWorker.create(waiter)
    await worker.start()
    await worker.park()
    worker.unpark()
    note(`worker ${await worker.stop()}`)
  }
}

const all = Promise.all([...Array.from({ length: 8 }, (_, number) => drive(number)), make()])
while (submitted < 20) await new Promise((resolve) => setTimeout(resolve, 5))
say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) if (line === 'end') break
isOver = true
await all
const { stuck } = await queue.close()
const counts = [...runs.subarray(0, submitted)]
say({
  report: {
    submitted,
    lost: counts.filter((count) => count === 0).length,
    twice: counts.filter((count) => count > 1).length,
    stuck: stuck.length,
    ends: Object.fromEntries(ends),
  },
})
process.exit(0)
