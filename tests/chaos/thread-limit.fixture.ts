/**
 * A program with more works than the system gives it threads. It counts how often a thread is asked
 * for, and uses Node's own threads once no other can be had.
 */
import { readdirSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import threads from 'node:worker_threads'
import type * as Handlers from './handlers.fixture.js'

let asked = 0
threads.Worker = class extends threads.Worker {
  constructor(...args: ConstructorParameters<typeof threads.Worker>) {
    asked++
    super(...args)
  }
}
syncBuiltinESMExports()
/** Looking takes a file descriptor, and there may be none. */
function threadCount(): number | null {
  try {
    return readdirSync('/proc/self/task').length
  } catch {
    return null
  }
}

const { WorkQueue } = await import('userworker')

const [count, ms, max] = process.argv.slice(2).map(Number) as [number, number, number]
const queue = new WorkQueue<typeof Handlers>(new URL('./handlers.fixture.js', import.meta.url), {
  maxWorkers: max,
})
const runs = new Int32Array(new SharedArrayBuffer(4 * count))
const begun = performance.now()
const ends = new Map<string, number>()
const works = Array.from({ length: count }, (_, id) =>
  queue.run('rest', [runs, id, ms]).catch((error: Error & { code?: string }) => error.code),
)
for (const work of works)
  void work.then((end) => ends.set(String(end), (ends.get(String(end)) ?? 0) + 1))

// While nothing more can be had: Node's own threads are there, and nobody hammers.
await new Promise((resolve) => setTimeout(resolve, 1500))
const before = { asked, cpu: process.cpuUsage(), at: performance.now() }
await access('/')
await new Promise((resolve) => setTimeout(resolve, 3000))
const cpu = process.cpuUsage(before.cpu)
const limit = {
  askedPerS: ((asked - before.asked) / (performance.now() - before.at)) * 1000,
  cpuPercent: (cpu.user + cpu.system) / 10 / (performance.now() - before.at),
  workers: queue.workers().length,
  threads: threadCount(),
}
await Promise.all(works)
const all = process.cpuUsage()
console.log(
  JSON.stringify({
    report: {
      ...limit,
      asked,
      ends: Object.fromEntries(ends),
      once: runs.every((ran) => ran === 1),
      wallMs: Math.round(performance.now() - begun),
      cpuMs: Math.round((all.user + all.system) / 1000),
    },
  }),
)
await queue.close()
