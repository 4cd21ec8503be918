/**
 * Serves a device to one frontend at a time, as long as it is open: the next when the one before has
 * gone.
 *
 * | state    | what holds                                     | a frontend comes               | left by         |
 * | -------- | ---------------------------------------------- | ------------------------------ | --------------- |
 * | idle     | nobody is connected                            | serving                        | `close`: closed |
 * | serving  | a session with a frontend                      | it is turned away at once      | its end: ending |
 * | ending   | that one has gone; its vrings come to an end   | it waits; another: turned away | done: idle, or  |
 * |          |                                                |                                | serving         |
 * | closed   | no descriptor, no mapping, no thread is left   |                                |                 |
 *
 * A server listens at its socket; a client connects to a frontend that listens there, and tries again
 * until it can. Apart from that they are the same.
 *
 * @module
 */
import { after, type Timer } from '../os/clock.js'
import { close, PollSet, watch } from '../os/events.js'
import { hold } from '../os/pending.js'
import { accept, connect, listen, type Listener } from '../os/sockets.js'
import { checkName, checkTimeMs } from '../validate.js'
import { invalid } from '../errors.js'
import type { Backend } from './backend.js'
import { Connection, type Handler } from './connection.js'
import { Ownership } from './ownership.js'
import { Session, type SendReply } from './session.js'

/** What became of a server's frontends. */
export type ServerEvent =
  | { readonly kind: 'connected' }
  /** `reason`: the sentence that ended the connection; null where the frontend closed it, or `close` did. */
  | { readonly kind: 'disconnected'; readonly reason: string | null }
  /** Another frontend has the device: this one was turned away. */
  | { readonly kind: 'turned-away' }
  /** Something went wrong that ended no connection. The server goes on. */
  | { readonly kind: 'error'; readonly error: Error }

export interface ServerOptions {
  /** The path of the UNIX socket. */
  readonly socket: string
  /** `server`: listens there, for its own user only (mode 0600). `client`: connects. `server` unless told. */
  readonly mode?: 'server' | 'client'
  /**
   * How long the device's threads are kept after a frontend has gone, in milliseconds; 0 unless told:
   * they end at once. The socket stays in any case.
   */
  readonly reconnectMs?: number
  readonly onEvent?: (event: ServerEvent) => void
}

/** How long a client waits before it connects again, and a server that has no descriptor left. */
const againMs = 200

/** A connection, until all that it led to is over. */
interface Serving {
  readonly connection: Connection
  readonly fd: number
  /** Whether its frontend has gone, or was dropped. */
  isEnding: boolean
  /** Why the threads are to go with it, where they are. */
  dropped: Error | null
  readonly over: Promise<void>
}

export class Server {
  readonly #backend: Backend
  readonly #socket: string
  readonly #tell: (event: ServerEvent) => void
  readonly #ownership: Ownership
  readonly #release: () => void
  #listener: (Listener & { readonly watched: { close(): void } }) | null = null
  #serving: Serving | null = null
  /** The socket of one that came while another was ending. */
  #waiting: number | null = null
  #again: Timer | null = null
  /** Why the last try to connect failed: it is told once. */
  #lastCode: string | null = null
  #closed: Promise<void> | null = null

  /** @throws the system's error: it cannot listen at that path; a TypeError: an option is wrong */
  constructor(backend: Backend, options: ServerOptions) {
    const { socket, mode = 'server', reconnectMs = 0, onEvent = () => {} } = options
    checkName('socket', socket)
    checkTimeMs('reconnectMs', reconnectMs)
    if (!['server', 'client'].includes(mode)) throw invalid("mode must be 'server' or 'client'")
    this.#backend = backend
    this.#socket = socket
    this.#tell = onEvent
    const onError = (error: Error): void => onEvent({ kind: 'error', error })
    this.#ownership = new Ownership(backend, reconnectMs, onError)
    if (mode === 'server') this.#listen()
    else this.#connect()
    backend.onFailure = (error) => this.#drop(error)
    this.#release = hold(() => `a vhost-user server at ${socket}`)
  }

  /** Whether a frontend is connected. */
  get isConnected(): boolean {
    return this.#serving !== null && !this.#serving.isEnding
  }

  /** Ends the connection, if there is one, and everything else. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#again?.cancel()
    this.#listener?.watched.close()
    this.#listener?.close()
    if (this.#waiting !== null) close(this.#waiting)
    this.#waiting = null
    if (this.#serving !== null) {
      this.#serving.isEnding = true
      this.#serving.connection.close()
      await this.#serving.over
    }
    try {
      await this.#ownership.reset()
    } finally {
      this.#release()
    }
  }

  #listen(): void {
    const listener = listen(this.#socket)
    try {
      this.#listener = { ...listener, watched: watch(listener.fd, () => this.#accept()) }
    } catch (error) {
      listener.close()
      throw error
    }
  }

  #accept(): void {
    const { fd, watched } = this.#listener ?? { fd: -1, watched: null }
    if (this.#closed !== null) return
    try {
      for (let come = accept(fd); come !== null; come = accept(fd)) this.#arrive(come)
    } catch (error) {
      // No descriptor is left, say. It waits in the socket's queue, which stays readable.
      this.#tell({ kind: 'error', error: error as Error })
      watched?.close()
      this.#acceptSoon()
    }
  }

  #acceptSoon(): void {
    this.#again = after(againMs, () => {
      if (this.#listener === null) return
      const { fd } = this.#listener
      try {
        this.#listener = { ...this.#listener, watched: watch(fd, () => this.#accept()) }
      } catch {
        // A watch needs a descriptor too.
        this.#acceptSoon()
      }
    })
  }

  #arrive(fd: number): void {
    const serving = this.#serving
    if (serving === null) return this.#serve(fd)
    if (this.#waiting === null && (serving.isEnding || hasHungUp(serving.fd))) {
      this.#waiting = fd
      return
    }
    close(fd)
    this.#tell({ kind: 'turned-away' })
  }

  #connect(): void {
    try {
      this.#serve(connect(this.#socket))
      this.#lastCode = null
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (code === 'EINVAL') throw error // no path of a socket, at any time
      if (code !== this.#lastCode) this.#tell({ kind: 'error', error: error as Error })
      this.#lastCode = code
      this.#connectSoon()
    }
  }

  #connectSoon(): void {
    this.#again = after(againMs, () => this.#connect())
  }

  #serve(fd: number): void {
    const socket = this.#socket
    const reply: SendReply = (...given) => connection.reply(...given)
    const session = new Session(this.#backend, this.#ownership, reply, socket)
    const handle: Handler<'frontend'> = (message, fds) => session.handle(message, fds)
    const connection: Connection = new Connection(fd, 'frontend', handle, socket)
    const over = this.#end(connection, session)
    this.#serving = { connection, fd, isEnding: false, dropped: null, over }
    this.#tell({ kind: 'connected' })
  }

  async #end(connection: Connection, session: Session): Promise<void> {
    const ended = await connection.ended
    if (this.#serving !== null) this.#serving.isEnding = true
    const reason = this.#serving?.dropped ?? ended
    try {
      await session.end()
      // Its threads are not all there any more.
      if (this.#serving?.dropped) await this.#ownership.reset()
    } catch (error) {
      this.#tell({ kind: 'error', error: error as Error })
    }
    this.#serving = null
    this.#tell({ kind: 'disconnected', reason: reason?.message ?? null })
    this.#goOn()
  }

  /** The device's threads cannot go on: whoever comes next gets new ones. */
  #drop(error: Error): void {
    const serving = this.#serving
    if (serving === null) {
      this.#tell({ kind: 'error', error })
      void this.#ownership.reset().catch((end: Error) => this.#tell({ kind: 'error', error: end }))
      return
    }
    serving.dropped ??= error
    serving.isEnding = true
    serving.connection.close()
  }

  /** What comes after a session. */
  #goOn(): void {
    if (this.#closed !== null) return
    const next = this.#waiting
    this.#waiting = null
    if (next !== null) this.#serve(next)
    else if (this.#listener === null) this.#connectSoon()
  }
}

/** Whether the peer of a socket has gone, read or not. */
function hasHungUp(fd: number): boolean {
  const set = new PollSet()
  set.set([fd])
  return set.wait(0) > 0 && set.isBroken(0)
}
