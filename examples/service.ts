/**
 * A small service: one thread that watches something, a queue that works on what it finds, and an
 * end in order.
 *
 *     node build/examples/service.js
 */
import { UserWorker, WorkQueue } from 'userworker'

const queue = new WorkQueue<typeof import('./service-works.js')>(
  new URL('./service-works.js', import.meta.url),
  { name: 'service', closeDeadlineMs: 2000 },
)
const found = new Int32Array(new SharedArrayBuffer(4))
const watcher = await UserWorker.create(new URL('./service-watcher.js', import.meta.url), {
  name: 'watcher',
  data: { found, everyMs: 10 },
})
await watcher.start()

while (Atomics.load(found, 0) < 5) await new Promise((resolve) => setTimeout(resolve, 5))
const words = ['one', 'two', 'three', 'four', 'five']
const counts = await Promise.all(
  words.map((word, index) => queue.run('letters', [word], { key: index % 2 })),
)
console.log(`letters: ${counts.join(' ')}`)

// In order: nothing new comes, then what is there ends, and what does not is named.
console.log(`watcher ended with ${await watcher.stop()}`)
const { stuck } = await queue.close()
console.log(`ended by force: ${stuck.length}`)
