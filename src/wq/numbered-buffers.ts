/**
 * Shared buffers of the user's by number: how one crosses inside arguments or a result without a
 * message of its own. The owner gives the numbers, and tells all workers of a buffer before the first
 * work that refers to it; a buffer that nobody in the owner's thread holds any more is dropped by
 * all.
 *
 * @module
 */

/** What the owner's side tells of. */
export interface SharedBufferEvents {
  shared(number: number, buffer: SharedArrayBuffer): void
  dropped(number: number): void
}

/** The buffers that one side of a queue knows. */
export class SharedBuffers {
  readonly #numbers = new WeakMap<SharedArrayBuffer, number>()
  readonly #buffers = new Map<number, WeakRef<SharedArrayBuffer> | SharedArrayBuffer>()
  readonly #events: SharedBufferEvents | null
  readonly #dropped: FinalizationRegistry<number> | null
  #last = 0
  /** The buffers that {@link numberOf} was asked for, where somebody wants to know. */
  asked: SharedArrayBuffer[] | null = null

  constructor(events: SharedBufferEvents | null) {
    this.#events = events
    this.#dropped =
      events === null
        ? null
        : new FinalizationRegistry((number) => {
            this.#buffers.delete(number)
            events.dropped(number)
          })
  }

  /** The worker's side: it knows what it was told of, and numbers nothing itself. */
  static ofOther(): SharedBuffers {
    return new SharedBuffers(null)
  }

  /**
   * The number of a buffer.
   *
   * @throws TypeError: it has none here, so that what holds it must go by message
   */
  numberOf(buffer: SharedArrayBuffer): number {
    const known = this.#numbers.get(buffer)
    if (known !== undefined) {
      this.asked?.push(buffer)
      return known
    }
    if (this.#events === null) throw new TypeError('a buffer that the owner does not know')
    this.asked?.push(buffer)
    const number = ++this.#last
    this.#numbers.set(buffer, number)
    this.#buffers.set(number, new WeakRef(buffer))
    this.#dropped?.register(buffer, number)
    this.#events.shared(number, buffer)
    return number
  }

  /** The other side has told of a buffer. */
  add(number: number, buffer: SharedArrayBuffer): void {
    this.#numbers.set(buffer, number)
    this.#buffers.set(number, buffer)
  }

  remove(number: number): void {
    this.#buffers.delete(number)
  }

  get(number: number): SharedArrayBuffer | undefined {
    const found = this.#buffers.get(number)
    return found instanceof WeakRef ? found.deref() : found
  }

  /** @throws TypeError: nobody told of it */
  bufferOf(number: number): SharedArrayBuffer {
    const found = this.get(number)
    if (found === undefined) throw new TypeError(`there is no shared buffer ${number}`)
    return found
  }

  /** Every buffer that is still there, for a worker that comes later. */
  *all(): Iterable<[number, SharedArrayBuffer]> {
    for (const number of this.#buffers.keys()) {
      const buffer = this.get(number)
      if (buffer !== undefined) yield [number, buffer]
    }
  }
}
