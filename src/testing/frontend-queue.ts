/**
 * A queue of a frontend: the driver's side of it, and its events.
 *
 * @module
 */
import { clear, close, event, signal, watch } from '../os/events.js'
import { Pending } from '../os/pending.js'
import { readable, type ReadableWait } from '../os/readable.js'
import type { DriverMemory } from './driver-memory.js'
import { VirtqueueDriver, type VirtqueueDriverOptions } from './virtqueue-driver.js'

/** What came of a request. */
export interface Completion {
  /** How many bytes the device says it has written. */
  readonly written: number
  /** The writable pieces, each as long as was asked for: copies. */
  readonly writable: readonly Uint8Array[]
}

interface Asked {
  readonly readable: readonly Uint8Array[]
  readonly writable: readonly number[]
  readonly pending: Pending<Completion>
}

/**
 * A queue. {@link request} is all that most tests need. For measuring, and for what breaks the rules,
 * there are its parts: {@link driver}, {@link kick}, and the descriptors of its events.
 */
export class FrontendQueue {
  /** Its number. */
  readonly index: number
  /** The event of kicks: a descriptor of eventfd(2), not blocking. */
  readonly kickFd: number = event()
  /** That of calls. */
  readonly callFd: number = event()
  /** That of errors. */
  readonly errorFd: number = event()
  readonly #memory: DriverMemory
  #driver: VirtqueueDriver | null = null
  /** Waits for a free descriptor. */
  readonly #waiting: Asked[] = []
  /** By head. */
  readonly #underWay = new Map<number, Pending<Completion>>()
  #watch: { close(): void } | null = null
  readonly #waits = new Set<ReadableWait>()
  #isOpen = true

  constructor(index: number, memory: DriverMemory) {
    this.index = index
    this.#memory = memory
  }

  /** Its driver's side. @throws Error: it was not laid out yet */
  get driver(): VirtqueueDriver {
    if (this.#driver === null) throw new Error(`Queue ${this.index} was not set up`)
    return this.#driver
  }

  /** Whether it was laid out. */
  get isSetUp(): boolean {
    return this.#driver !== null
  }

  /** How far the device is in the used ring: where a backend goes on that has lost all else. */
  get usedIndex(): number {
    const bytes = this.#memory.at(this.driver.used, 4)
    return new Uint16Array(bytes.buffer, bytes.byteOffset, 2)[1] as number
  }

  /** Lays it out in memory anew. Requests under way are given up. */
  setUp(options: VirtqueueDriverOptions): VirtqueueDriver {
    this.#giveUp(`Queue ${this.index} was set up anew`)
    if (this.#driver !== null) {
      const { descriptors, available, used } = this.#driver
      for (const address of [descriptors, available, used]) this.#memory.free(address)
    }
    clear(this.kickFd)
    clear(this.callFd)
    this.#driver = new VirtqueueDriver(this.#memory, options)
    return this.#driver
  }

  /**
   * Sends a request to the device, kicks it if it wants that, and waits for the call. Where there is no
   * room in the queue it waits for some.
   *
   * @param bytes - what the device reads
   * @param lengths - of the pieces that it writes
   * @throws Error: the queue was closed, or set up anew, or the device broke a rule
   */
  request(bytes: readonly Uint8Array[], lengths: readonly number[]): Promise<Completion> {
    const pending = new Pending<Completion>(`a request in queue ${this.index}`)
    this.#waiting.push({ readable: bytes, writable: lengths, pending })
    this.#pump()
    return pending.promise
  }

  /** Tells the device that there is something to do, whether it wants to know or not. */
  kick(): void {
    signal(this.kickFd)
  }

  /** Resolves at the device's next call, or at once if one came already. It takes the signal. */
  async waitForCall(): Promise<void> {
    await this.#waitFor(this.callFd)
  }

  /** Resolves when the device says that the queue is broken. It takes the signal. */
  async waitForError(): Promise<void> {
    await this.#waitFor(this.errorFd)
  }

  /** Takes what the device has used, and settles those requests. */
  drain(): void {
    try {
      do this.#takeAll()
      while (this.driver.enableCalls())
      this.#pump()
    } catch (error) {
      this.#giveUp((error as Error).message, error)
    }
  }

  /** Closes its events. Requests under way are given up. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#giveUp(`Queue ${this.index} was closed`)
    this.#driver = null
    for (const wait of this.#waits) wait.end()
    for (const fd of [this.kickFd, this.callFd, this.errorFd]) close(fd)
  }

  async #waitFor(fd: number): Promise<void> {
    while (this.#isOpen && !clear(fd)) {
      const wait = readable(fd)
      this.#waits.add(wait)
      await wait.promise
      this.#waits.delete(wait)
    }
    if (!this.#isOpen) throw new Error(`Queue ${this.index} was closed`)
  }

  /** Gives the driver what waits, as far as there is room. */
  #pump(): void {
    const driver = this.#driver
    let asked = this.#waiting[0]
    if (driver === null || !this.#isOpen) return this.#giveUp(`Queue ${this.index} does not run`)
    while (asked !== undefined) {
      try {
        this.#underWay.set(driver.add(asked.readable, asked.writable), asked.pending)
      } catch (error) {
        if (this.#underWay.size > 0) break
        asked.pending.reject(error as Error)
      }
      this.#waiting.shift()
      asked = this.#waiting[0]
    }
    driver.publish()
    if (driver.needsKick()) this.kick()
    this.#watchCalls()
  }

  #takeAll(): void {
    const { driver } = this
    for (let used = driver.takeUsed(); used !== null; used = driver.takeUsed()) {
      this.#underWay.get(used.head)?.resolve({ written: used.written, writable: used.data })
      this.#underWay.delete(used.head)
    }
  }

  /** The event loop is kept alive by calls only while one is due. */
  #watchCalls(): void {
    if (this.#underWay.size === 0) {
      this.#watch?.close()
      this.#watch = null
      return
    }
    this.#watch ??= watch(this.callFd, () => {
      if (clear(this.callFd)) this.drain()
    })
  }

  #giveUp(why: string, cause?: unknown): void {
    const pendings = [...this.#underWay.values(), ...this.#waiting.map(({ pending }) => pending)]
    this.#underWay.clear()
    this.#waiting.length = 0
    this.#watch?.close()
    this.#watch = null
    for (const pending of pendings) pending.reject(new Error(why, { cause }))
  }
}
