/**
 * A frontend that listens: backends connect to it.
 *
 * @module
 */
import { readable, type ReadableWait } from '../os/readable.js'
import { accept, type Listener } from '../os/sockets.js'

/** A socket at which a frontend waits for backends: those that connect by themselves. */
export interface FrontendListener<Frontend> extends AsyncDisposable {
  /**
   * Resolves with the next backend that connects. Nothing was sent to it.
   *
   * @throws Error: the listener was closed
   */
  accept(): Promise<Frontend>
  /** Ends it, and removes the socket's file. Those who have connected stay. */
  close(): Promise<void>
}

export class Listening<Frontend> implements FrontendListener<Frontend> {
  readonly #listener: Listener
  readonly #take: (fd: number) => Frontend
  #wait: ReadableWait | null = null
  #isOpen = true

  constructor(listener: Listener, take: (fd: number) => Frontend) {
    this.#listener = listener
    this.#take = take
  }

  async accept(): Promise<Frontend> {
    while (this.#isOpen) {
      const fd = accept(this.#listener.fd)
      if (fd !== null) return this.#take(fd)
      this.#wait = readable(this.#listener.fd)
      await this.#wait.promise
    }
    throw new Error('The frontend listens no more')
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#wait?.end()
    this.#listener.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
