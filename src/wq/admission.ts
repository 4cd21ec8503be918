/**
 * Whether a work is taken into the queue.
 *
 * @module
 */
import { aborted, UserWorkerError } from '../errors.js'
import { Room } from './room.js'
import type { QueuedWork } from './work.js'

/** What is asked of the queue. */
export interface Admitting {
  readonly counts: { failed: number; canceled: number }
  readonly unsettled: number
  cancelOldest(): boolean
}

export class Admission {
  readonly room: Room
  readonly #name: string
  readonly #onFull: 'reject' | 'cancel-oldest'
  readonly #queue: Admitting
  /** Why nothing is taken any more. */
  #end: Error | null = null

  constructor(
    name: string,
    options: { readonly queueLimit: number; readonly onFull: 'reject' | 'cancel-oldest' },
    queue: Admitting,
  ) {
    this.#name = name
    this.#onFull = options.onFull
    this.#queue = queue
    this.room = new Room(name, options.queueLimit)
  }

  /** Nothing is taken from here on. The first reason counts. */
  end(reason: Error): void {
    this.#end ??= reason
  }

  /** Why nothing is taken any more, or null. */
  get hasEnded(): Error | null {
    return this.#end
  }

  /** The queue closes. */
  close(): void {
    this.end(new UserWorkerError('ECANCELED', `The queue '${this.#name}' is closed`))
  }

  /** Why no work can be taken, or null. */
  refusal({ signal }: QueuedWork): Error | null {
    if (this.#end !== null) return this.#end
    if (signal?.aborted === true) return aborted(signal.reason)
    if (!this.room.isFull(this.#queue.unsettled)) return null
    if (this.#onFull === 'cancel-oldest' && this.#queue.cancelOldest()) return null
    return this.room.refusal()
  }

  refuse(work: QueuedWork, refusal: Error): void {
    const { counts } = this.#queue
    if (refusal instanceof UserWorkerError && ['EAGAIN', 'ENOTSUP'].includes(refusal.code)) {
      counts.failed++
      work.reject(refusal)
    } else {
      counts.canceled++
      work.cancelWith(refusal)
    }
  }
}
