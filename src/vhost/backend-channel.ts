/**
 * The backend's own channel to the frontend (SET_BACKEND_REQ_FD): it says that the configuration space
 * has changed, so that the frontend reads it again and tells the guest. Nothing is waited for: a frontend
 * that asks us meanwhile, and waits for our answer, would never read it.
 *
 * @module
 */
import { Caller } from './caller.js'

export class BackendChannel {
  readonly #socket: string
  #caller: Caller<'backend'> | null = null

  /** @param socket - what the trace of messages calls it */
  constructor(socket: string) {
    this.#socket = socket
  }

  /** @param fd - a socket of the frontend's; from now on the channel's own */
  open(fd: number): void {
    this.close()
    this.#caller = new Caller(fd, 'backend', this.#socket)
  }

  /** Tells that the configuration space has changed, where there is a channel. */
  configChanged(): void {
    try {
      this.#caller?.send('CONFIG_CHANGE_MSG', null)
    } catch {
      // The frontend does not read its channel. That is its own loss: all else goes on.
      this.close()
    }
  }

  close(): void {
    this.#caller?.close()
    this.#caller = null
  }
}
