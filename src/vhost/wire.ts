/**
 * A UNIX socket as a row of vhost-user messages, each with the descriptors that belong to it.
 *
 * The header is read alone, and then exactly so many bytes as it says: so descriptors that arrive
 * belong to this message, and not to one behind it. They travel with the header; any that come with the
 * payload are refused, like all that breaks the rules of a header, and closed.
 *
 * Nothing blocks. Who reads waits for the socket in the event loop, and is woken by bytes, by the
 * peer's end, or by {@link Wire.close}. Who writes does not wait: messages are small beside the room of a
 * socket, so that one without room for another belongs to a peer that does not read.
 *
 * @module
 */
import { close } from '../os/events.js'
import { readable, type ReadableWait } from '../os/readable.js'
import { Descriptors, mostDescriptors, receive, send } from '../os/sockets.js'
import { decodeHeader, headerBytes, type Header } from './message.js'
import { longestPayload } from './payloads.js'
import { ProtocolError } from './protocol-error.js'

/** A message with its payload not yet looked into. */
export interface RawMessage {
  readonly header: Header
  readonly payload: Uint8Array
  /** Those that came along: whoever gets the message closes them. */
  readonly descriptors: Descriptors
}

/** One end of a connection. Its descriptor is its own from the beginning. */
export class Wire {
  readonly #fd: number
  readonly #bytes = new Uint8Array(headerBytes + longestPayload)
  #isOpen = true
  #wait: ReadableWait | null = null

  constructor(fd: number) {
    this.#fd = fd
  }

  /**
   * Reads the next message. One call at a time.
   *
   * @returns null at the end: the peer has closed, or {@link close} was called
   * @throws ProtocolError: what came is no message
   */
  async next(): Promise<RawMessage | null> {
    const fds: number[] = []
    try {
      if (!(await this.#fill(0, headerBytes, fds))) return null
      const header = decodeHeader(this.#bytes)
      const end = headerBytes + header.size
      if (!(await this.#fill(headerBytes, end, fds))) return null
      const payload = this.#bytes.slice(headerBytes, end)
      return { header, payload, descriptors: new Descriptors(fds.splice(0)) }
    } finally {
      for (const fd of fds) close(fd)
    }
  }

  /**
   * Sends a message. Nothing is sent to a peer that has closed: {@link next} tells of it.
   *
   * @param fds - go along, and stay the caller's
   * @throws ProtocolError: the peer has read nothing for so long that there is no room
   */
  send(bytes: Uint8Array, fds: readonly number[] = []): void {
    if (!this.#isOpen) return
    let sent: number
    try {
      sent = send(this.#fd, bytes, fds)
    } catch (error) {
      if (isEnd(error)) return
      throw error
    }
    if (sent < bytes.byteLength)
      throw new ProtocolError('The other side does not read its messages')
  }

  /** Closes the socket. Whoever reads is told that it has ended. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#wait?.end()
    close(this.#fd)
  }

  /** Reads until `end`. @returns false where the connection ended at `start`, or here */
  async #fill(start: number, end: number, fds: number[]): Promise<boolean> {
    let filled = start
    while (filled < end) {
      if (!this.#isOpen) return false
      const part = this.#receive(this.#bytes.subarray(filled, end))
      if (part === null) {
        this.#wait = readable(this.#fd)
        await this.#wait.promise
        this.#wait = null
        continue
      }
      fds.push(...part.fds)
      if (part.length === 0) {
        if (filled === 0) return false
        throw new ProtocolError('The connection ended in the middle of a message')
      }
      if (start > 0 && part.fds.length > 0) {
        throw new ProtocolError(
          'Descriptors came with the payload of a message, not with its header',
        )
      }
      filled += part.length
    }
    return true
  }

  #receive(room: Uint8Array): ReturnType<typeof receive> {
    try {
      return receive(this.#fd, room)
    } catch (error) {
      if (isEnd(error)) return { length: 0, fds: [] }
      if ((error as NodeJS.ErrnoException).code !== 'EMSGSIZE') throw error
      throw new ProtocolError(
        `More than ${mostDescriptors} descriptors came with a message, or than there is room for`,
      )
    }
  }
}

/** The peer has closed: with what we sent unread, or while we send. */
function isEnd(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'EPIPE'
}
