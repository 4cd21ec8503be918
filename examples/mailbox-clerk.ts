/** The thread of `mailbox.ts`: each batch reads the letters that are there. */
import { loop } from 'userworker/self'
import { take, type MailboxData } from './mailbox-ring.js'

/** At most so many in one batch, so that a stop or a park waits for no more than these. */
const lettersPerBatch = 64

export default loop(({ mailbox, counts }: MailboxData) => {
  for (let taken = 0; taken < lettersPerBatch; taken++) {
    const letter = take(mailbox)
    if (letter === null) return taken > 0
    Atomics.add(counts, 1, letter.split(' ').length)
    Atomics.add(counts, 0, 1)
  }
  return true
})
