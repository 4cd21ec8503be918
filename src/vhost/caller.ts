/**
 * The side of a connection that asks: requests go out at once, and their replies come in the same order.
 *
 * | happens                                   | the caller | calls under way reject with | `ended`    |
 * | ----------------------------------------- | ---------- | --------------------------- | ---------- |
 * | a reply that breaks the rules, or is none | closes     | that ProtocolError          | that error |
 * | the peer closes, or `close` is called     | closes     | a ProtocolError             | null       |
 *
 * @module
 */
import { Pending } from '../os/pending.js'
import type { Descriptors } from '../os/sockets.js'
import {
  decodeReply,
  encodeRequest,
  hasReply,
  type PayloadOf,
  type ReplyOf,
  type RequestName,
  type Side,
} from './message.js'
import { traceMessage } from './message-trace.js'
import { ProtocolError } from './protocol-error.js'
import { Wire, type RawMessage } from './wire.js'

/** What was replied. */
export interface Reply<Payload> {
  readonly payload: Payload
  /** Those that came along: the caller's to take, or to close. */
  readonly descriptors: Descriptors
}

/** A call that waits for its reply. */
interface Waiting {
  take(raw: RawMessage): void
  fail(error: Error): void
}

export class Caller<From extends Side> {
  /** Resolves when it is over: null, or why it was ended. It never rejects. */
  readonly ended: Promise<Error | null>
  readonly #wire: Wire
  readonly #from: From
  readonly #socket: string
  readonly #waiting: Waiting[] = []
  #isOver = false

  /**
   * Begins to read replies.
   *
   * @param fd - a connected socket; from now on the caller's own
   * @param from - the side that asks: this one
   * @param socket - what the trace of messages calls it
   */
  constructor(fd: number, from: From, socket = '') {
    this.#wire = new Wire(fd)
    this.#from = from
    this.#socket = socket
    this.ended = this.#serve()
  }

  /** Sends a request without asking for a reply. @param fds - go along, and stay the caller's */
  send<Name extends RequestName<From>>(
    name: Name,
    payload: PayloadOf<Name, From>,
    fds: readonly number[] = [],
  ): void {
    traceMessage(this.#socket, 'out', this.#from, name, false, payload, fds.length)
    this.sendRaw(encodeRequest(this.#from, name, payload), fds)
  }

  /**
   * Sends a request, and resolves with its reply: its own, or the one that REPLY_ACK gives (0 is
   * success).
   *
   * @throws ProtocolError: the connection has ended, or what came was no reply to this
   */
  async call<Name extends RequestName<From>>(
    name: Name,
    payload: PayloadOf<Name, From>,
    fds: readonly number[] = [],
  ): Promise<Reply<ReplyOf<Name, From>>> {
    if (this.#isOver) throw ended(name)
    traceMessage(this.#socket, 'out', this.#from, name, false, payload, fds.length)
    this.sendRaw(encodeRequest(this.#from, name, payload, !hasReply(this.#from, name)), fds)
    const pending = new Pending<Reply<ReplyOf<Name, From>>>(`the reply to ${name}`)
    this.#waiting.push({
      take: ({ header, payload: bytes, descriptors }) => {
        const value = decodeReply(this.#from, name, header, bytes, descriptors.count)
        traceMessage(this.#socket, 'in', this.#from, name, true, value, descriptors.count)
        pending.resolve({ payload: value, descriptors })
      },
      fail: (error) => pending.reject(error),
    })
    return pending.promise
  }

  /** Sends any bytes, with any descriptors. */
  sendRaw(bytes: Uint8Array, fds: readonly number[] = []): void {
    try {
      this.#wire.send(bytes, fds)
    } catch (error) {
      // Nothing more can be said in this direction: half a message may have gone.
      this.#wire.close()
      throw error
    }
  }

  close(): void {
    this.#wire.close()
  }

  async #serve(): Promise<Error | null> {
    let reason: Error | null = null
    try {
      for (let raw = await this.#wire.next(); raw !== null; raw = await this.#wire.next()) {
        this.#take(raw)
      }
    } catch (error) {
      reason = error as Error
    }
    this.#isOver = true
    this.#wire.close()
    for (const waiting of this.#waiting.splice(0)) waiting.fail(reason ?? ended('a request'))
    return reason
  }

  #take(raw: RawMessage): void {
    try {
      const [waiting] = this.#waiting
      if (waiting === undefined) {
        throw new ProtocolError(`Message ${raw.header.number} came, and nothing was asked`)
      }
      waiting.take(raw)
      this.#waiting.shift()
    } catch (error) {
      raw.descriptors.close()
      throw error
    }
  }
}

function ended(what: string): ProtocolError {
  return new ProtocolError(`The other side closed the connection instead of a reply to ${what}`)
}
