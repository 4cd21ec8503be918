/**
 * A backend without a device, for tests of the frontend: it writes down what it is asked, says yes to
 * everything, and keeps the descriptors that it is given.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { close } from '../os/events.js'
import { memoryFile } from '../os/mapping.js'
import { readable } from '../os/readable.js'
import { accept, listen, type Descriptors, type Listener } from '../os/sockets.js'
import { Caller, Connection, type Message } from '../vhost/index.js'

/** What the recorder offers. */
export interface RecorderOptions {
  readonly features?: bigint
  readonly protocolFeatures?: bigint
  /** Its answer where a request asks how it went; 0 is success. */
  readonly answer?: bigint
}

/** A path for a socket, gone with the test. */
export function socketPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'uw-frontend-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 's')
}

export class Recorder {
  /** All requests, in order; `!` where a reply was asked for that is not due anyway. */
  readonly requests: string[] = []
  readonly messages: Message[] = []
  /** Calls the frontend on its channel; null before SET_BACKEND_REQ_FD. */
  channel: Caller<'backend'> | null = null
  /** By request and vring, as `SET_VRING_CALL 0`; the newest of each. */
  readonly fds = new Map<string, number>()
  readonly #options: RecorderOptions
  #connection: Connection | null = null
  #status = 0n

  constructor(options: RecorderOptions = {}) {
    this.#options = options
  }

  /** Serves the next one who connects, and resolves when that one has gone. */
  async serveAt(listener: Listener): Promise<Error | null> {
    let fd = accept(listener.fd)
    while (fd === null) {
      await readable(listener.fd).promise
      fd = accept(listener.fd)
    }
    return this.serve(fd)
  }

  /** Serves a connection until its end. */
  async serve(fd: number): Promise<Error | null> {
    const connection = new Connection(fd, 'frontend', (message, fds) => this.#handle(message, fds))
    this.#connection = connection
    const reason = await connection.ended
    this.channel?.close()
    for (const kept of this.fds.values()) close(kept)
    this.fds.clear()
    return reason
  }

  /** Ends the connection, as a backend does that dies. */
  drop(): void {
    this.#connection?.close()
  }

  #handle(message: Message, fds: Descriptors): void {
    const connection = this.#connection as Connection
    const { features = 0x1_7000_0244n, protocolFeatures = 0x1ffffn, answer = 0n } = this.#options
    this.messages.push(message)
    const always = /^GET_|SET_LOG_BASE/.test(message.request)
    this.requests.push(message.request + (message.needsReply && !always ? '!' : ''))
    switch (message.request) {
      case 'GET_FEATURES':
        return connection.reply(message.request, features)
      case 'GET_PROTOCOL_FEATURES':
        return connection.reply(message.request, protocolFeatures)
      case 'GET_QUEUE_NUM':
        return connection.reply(message.request, 4n)
      case 'GET_MAX_MEM_SLOTS':
        return connection.reply(message.request, 32n)
      case 'GET_VRING_BASE':
        return connection.reply(message.request, { index: message.payload.index, num: 5 })
      case 'GET_CONFIG':
        return connection.reply(message.request, message.payload)
      case 'GET_STATUS':
        return connection.reply(message.request, this.#status)
      case 'SET_STATUS':
        this.#status = message.payload
        break
      case 'SET_LOG_BASE':
        return connection.reply(message.request, null)
      case 'GET_INFLIGHT_FD': {
        const file = memoryFile('inflight', 8192)
        connection.reply(message.request, { ...message.payload, size: 8192 }, [file])
        return close(file)
      }
      case 'SET_BACKEND_REQ_FD':
        this.channel?.close()
        this.channel = new Caller(fds.take(0) as number, 'backend')
        break
      case 'SET_VRING_CALL':
      case 'SET_VRING_KICK':
      case 'SET_VRING_ERR':
        this.#keep(`${message.request} ${message.payload.index}`, fds.take(0))
        break
      default:
    }
    if (message.needsReply) connection.reply(message.request as 'SET_OWNER', answer)
  }

  #keep(key: string, fd: number | null): void {
    const before = this.fds.get(key)
    if (before !== undefined) close(before)
    if (fd !== null) this.fds.set(key, fd)
  }
}

/** A recorder that listens, until the test ends. */
export function recorderAt(
  t: TestContext,
  options: RecorderOptions = {},
): { path: string; recorder: Recorder; listener: Listener; served: Promise<Error | null> } {
  const path = socketPath(t)
  const listener = listen(path)
  t.after(() => listener.close())
  const recorder = new Recorder(options)
  return { path, recorder, listener, served: recorder.serveAt(listener) }
}
