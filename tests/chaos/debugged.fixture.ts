/**
 * A program with a busy worker and idle ones, for a debugger to attach to.
 *
 * Its argument: the file that the busy worker beats in. At each line that it reads it runs a work and
 * says who its workers are.
 */
import { openSync } from 'node:fs'
import { open, url } from 'node:inspector'
import { createInterface } from 'node:readline'
import { WorkQueue } from 'userworker'
import type * as Handlers from './handlers.fixture.js'

const [beatFile = ''] = process.argv.slice(2)
const say = (said: object): void => console.log(JSON.stringify(said))
const queue = new WorkQueue<typeof Handlers>(new URL('./handlers.fixture.js', import.meta.url), {
  maxWorkers: 3,
  minWorkers: 3,
})
await queue.ready()
const stop = new Int32Array(new SharedArrayBuffer(4))
const beats = queue.run('beat', [openSync(beatFile, 'w'), stop])

// A debugger halts the thread where it next runs something.
setInterval(() => {}, 20)
open(0, '127.0.0.1')
say({ ready: new URL(url() ?? '').host })
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'end') break
  await queue.run('linger', [1])
  say({ workers: queue.workers().map((worker) => worker.osThreadId) })
}
Atomics.store(stop, 0, 1)
say({ end: (await beats) > 0 })
await queue.close()
process.exit(0)
