/**
 * The side of a connection that is asked: requests come one at a time, the next when all that the one
 * before led to is done, so that their order is kept however long they take.
 *
 * | happens                                    | the connection                         | `ended`           |
 * | ------------------------------------------ | -------------------------------------- | ----------------- |
 * | the peer closes between two messages       | closes                                 | null              |
 * | `close` is called                          | closes; the request under way goes on  | null              |
 * | a message that breaks the rules            | closes; nobody is handed that message  | its ProtocolError |
 * | the handler throws, or rejects             | closes                                 | that error        |
 *
 * In each case the descriptors that nobody took are closed, and no handler is under way when `ended`
 * resolves.
 *
 * @module
 */
import { hold } from '../os/pending.js'
import type { Descriptors } from '../os/sockets.js'
import {
  decodeRequest,
  encodeReply,
  type Message,
  type ReplyOf,
  type RequestName,
  type Side,
} from './message.js'
import { traceMessage } from './message-trace.js'
import { Wire, type RawMessage } from './wire.js'

/**
 * Does what is asked. It takes the descriptors that it wants to keep; the others are closed when it is
 * done.
 */
export type Handler<From extends Side> = (
  message: Message<From>,
  descriptors: Descriptors,
) => void | Promise<void>

export class Connection<From extends Side = 'frontend'> {
  /** Resolves when it is over: null, or why it was ended. It never rejects. */
  readonly ended: Promise<Error | null>
  readonly #wire: Wire
  readonly #from: From
  readonly #socket: string
  readonly #handle: Handler<From>

  /**
   * Begins to read.
   *
   * @param fd - a connected socket; from now on the connection's own
   * @param from - the side that asks
   * @param socket - what the trace of messages calls it
   */
  constructor(fd: number, from: From, handle: Handler<From>, socket = '') {
    this.#wire = new Wire(fd)
    this.#from = from
    this.#socket = socket
    this.#handle = handle
    this.ended = this.#serve()
  }

  /**
   * Sends the reply to a request.
   *
   * @param fds - go along, and stay the caller's
   * @throws ProtocolError: the peer does not read its replies
   */
  reply<Name extends RequestName<From>>(
    name: Name,
    payload: ReplyOf<Name, From>,
    fds: readonly number[] = [],
  ): void {
    traceMessage(this.#socket, 'out', this.#from, name, true, payload, fds.length)
    this.#wire.send(encodeReply(this.#from, name, payload), fds)
  }

  close(): void {
    this.#wire.close()
  }

  async #serve(): Promise<Error | null> {
    const release = hold(() => 'a vhost-user connection')
    try {
      for (;;) {
        const raw = await this.#wire.next()
        if (raw === null) return null
        await this.#serveOne(raw)
      }
    } catch (error) {
      return error as Error
    } finally {
      this.#wire.close()
      release()
    }
  }

  async #serveOne({ header, payload, descriptors }: RawMessage): Promise<void> {
    try {
      const message = decodeRequest(this.#from, header, payload, descriptors.count)
      traceMessage(
        this.#socket,
        'in',
        this.#from,
        message.request,
        false,
        message.payload,
        descriptors.count,
      )
      await this.#handle(message, descriptors)
    } finally {
      descriptors.close()
    }
  }
}
