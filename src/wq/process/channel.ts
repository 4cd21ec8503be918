/**
 * Messages over a socket between two processes: each is its length in four bytes, and then what V8's
 * serializer makes of it.
 *
 * @module
 */
import type { Socket } from 'node:net'
import { decode, encode } from './values.js'

const headBytes = 4

export class Channel<Sent, Heard> {
  readonly #socket: Socket
  readonly #hear: (message: Heard) => void
  /** What has come of messages that are not whole. */
  #parts: Buffer[] = []
  #bytes = 0
  /** How many bytes it takes until there is a whole message, or its head. */
  #wanted = headBytes

  constructor(socket: Socket, hear: (message: Heard) => void) {
    this.#socket = socket
    this.#hear = hear
    socket.on('data', (part: Buffer) => this.#take(part))
    // The other process has ended, which its end tells; nobody reads what was sent.
    socket.on('error', () => {})
  }

  tell(message: Sent): void {
    const body = encode(message)
    const head = Buffer.allocUnsafe(headBytes)
    head.writeUInt32LE(body.length)
    this.#socket.cork()
    this.#socket.write(head)
    this.#socket.write(body)
    this.#socket.uncork()
  }

  /** Resolves once everything that was sent is on its way, or the other side has ended. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(Buffer.alloc(0), () => resolve())
    })
  }

  #take(part: Buffer): void {
    this.#parts.push(part)
    this.#bytes += part.length
    if (this.#bytes < this.#wanted) return
    const all = this.#parts.length === 1 ? part : Buffer.concat(this.#parts)
    let at = 0
    for (;;) {
      this.#wanted = headBytes
      if (all.length - at < headBytes) break
      this.#wanted = headBytes + all.readUInt32LE(at)
      if (all.length - at < this.#wanted) break
      const body = all.subarray(at + headBytes, at + this.#wanted)
      at += this.#wanted
      this.#hear(decode(body) as Heard)
    }
    this.#parts = at === all.length ? [] : [all.subarray(at)]
    this.#bytes = all.length - at
  }
}
