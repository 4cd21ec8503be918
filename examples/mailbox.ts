/**
 * Letters in shared memory: a worker that is a `loop` takes them from a ring and counts their words. No
 * message is sent for a letter; a wake says that there is one.
 *
 *     node build/examples/mailbox.js
 */
import { UserWorker } from 'userworker'
import { makeMailbox, post, type MailboxData } from './mailbox-ring.js'

const data: MailboxData = {
  mailbox: makeMailbox(),
  counts: new Int32Array(new SharedArrayBuffer(8)),
}
const clerk = await UserWorker.create<MailboxData>(new URL('./mailbox-clerk.js', import.meta.url), {
  name: 'clerk',
  data,
})
await clerk.start()

const letters = Array.from({ length: 1000 }, (_, index) => `letter ${index} of a thousand`)
for (const letter of letters) {
  // Full: the clerk is behind. It was woken, so there will be room.
  while (!post(data.mailbox, letter)) await new Promise((resolve) => setTimeout(resolve, 1))
  clerk.wake()
}

// A stop ends the loop between two batches, whatever is in the ring: so first all must be read.
while (Atomics.load(data.counts, 0) < letters.length) {
  await new Promise((resolve) => setTimeout(resolve, 1))
}
console.log(`letters: ${Atomics.load(data.counts, 0)} words: ${Atomics.load(data.counts, 1)}`)
console.log(`clerk ended with ${await clerk.stop()}`)
