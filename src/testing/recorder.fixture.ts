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
  /** How many queues it says it has; 4 unless told. */
  readonly queues?: bigint
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
    this.messages.push(message)
    const always = /^GET_|SET_LOG_BASE/.test(message.request)
    this.requests.push(message.request + (message.needsReply && !always ? '!' : ''))
    if (this.#answer(message, connection)) return
    const { payload, request } = message
    if (request === 'SET_STATUS') this.#status = payload
    else if (request === 'SET_BACKEND_REQ_FD') {
      this.channel?.close()
      this.channel = new Caller(fds.take(0) as number, 'backend')
    } else if (/^SET_VRING_(CALL|KICK|ERR)$/.test(request)) {
      this.#keep(`${request} ${(payload as { index: number }).index}`, fds.take(0))
    }
    const { answer = 0n } = this.#options
    if (message.needsReply) connection.reply(request as 'SET_OWNER', answer)
  }

  /** @returns whether the request has an answer of its own */
  #answer({ request, payload }: Message, connection: Connection): boolean {
    const { features = 0x1_7000_0244n, protocolFeatures = 0x1ffffn } = this.#options
    if (request === 'GET_FEATURES') connection.reply(request, features)
    else if (request === 'GET_PROTOCOL_FEATURES') connection.reply(request, protocolFeatures)
    else if (request === 'GET_QUEUE_NUM') connection.reply(request, this.#options.queues ?? 4n)
    else if (request === 'GET_MAX_MEM_SLOTS') connection.reply(request, 32n)
    else if (request === 'GET_VRING_BASE')
      connection.reply(request, { index: payload.index, num: 5 })
    else if (request === 'GET_CONFIG') connection.reply(request, payload)
    else if (request === 'GET_STATUS') connection.reply(request, this.#status)
    else if (request === 'SET_LOG_BASE') connection.reply(request, null)
    else if (request === 'GET_INFLIGHT_FD') {
      const file = memoryFile('inflight', 8192)
      connection.reply(request, { ...payload, size: 8192 }, [file])
      close(file)
    } else return false
    return true
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
