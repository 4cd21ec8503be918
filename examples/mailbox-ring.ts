/**
 * The ring of `mailbox.ts`: one thread posts, one takes. `cursors[0]` counts the letters posted,
 * written by the poster; `cursors[1]` those taken, written by the taker. Good for 2^31 letters.
 */
export interface Mailbox {
  readonly cursors: Int32Array
  readonly letters: Uint8Array
}

/** What the clerk gets: its mailbox, and where it counts letters and words. */
export interface MailboxData {
  readonly mailbox: Mailbox
  readonly counts: Int32Array
}

const slots = 128
/** One byte for the length, the rest for the text. */
const slotBytes = 64

export function makeMailbox(): Mailbox {
  return {
    cursors: new Int32Array(new SharedArrayBuffer(8)),
    letters: new Uint8Array(new SharedArrayBuffer(slots * slotBytes)),
  }
}

/** Puts a letter in; false when the ring is full. */
export function post({ cursors, letters }: Mailbox, text: string): boolean {
  const posted = Atomics.load(cursors, 0)
  if (posted - Atomics.load(cursors, 1) === slots) return false
  const bytes = Buffer.from(text)
  if (bytes.length >= slotBytes) throw new RangeError(`a letter has less than ${slotBytes} bytes`)
  const begin = (posted % slots) * slotBytes
  letters[begin] = bytes.length
  letters.set(bytes, begin + 1)
  // Last: from here on the taker sees it.
  Atomics.store(cursors, 0, posted + 1)
  return true
}

/** Takes the oldest letter; null when there is none. */
export function take({ cursors, letters }: Mailbox): string | null {
  const taken = Atomics.load(cursors, 1)
  if (taken === Atomics.load(cursors, 0)) return null
  const begin = (taken % slots) * slotBytes + 1
  const text = Buffer.from(letters.slice(begin, begin + (letters[begin - 1] ?? 0))).toString()
  // Last: from here on the poster may write over it.
  Atomics.store(cursors, 1, taken + 1)
  return text
}
