/**
 * A guest in this process, for tests without a socket: memory that is mapped, and the driver's side of
 * queues, whose events it awaits in the event loop. So the thread that it is in goes on meanwhile.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { clear, close, event, signal, watch } from '../os/events.js'
import { map, memoryFile, unmap, viewOf } from '../os/mapping.js'
import type { MappedRegion, VringSetup } from '../vhost/index.js'
import {
  DriverMemory,
  VirtqueueDriver,
  type UsedRequest,
  type VirtqueueDriverOptions,
} from './index.js'

/** Where the memory begins for the guest. */
const guestAddress = 0x100_0000

export class Guest {
  readonly file: number
  readonly size: number
  readonly memory: DriverMemory
  readonly #queues: GuestQueue[] = []
  readonly #mappings: number[] = []

  constructor(size = 2 ** 22) {
    this.size = size
    this.file = memoryFile('guest', size)
    const [{ address }] = this.map()
    const bytes = new Uint8Array(viewOf(address, size))
    this.memory = new DriverMemory(bytes, { guest: guestAddress })
  }

  /** Its memory, mapped once more: what a frontend that sends a new table causes. */
  map(): [MappedRegion] {
    const address = map(this.file, this.size)
    this.#mappings.push(address)
    return [{ guest: guestAddress, size: this.size, user: 0, address }]
  }

  /** Undoes a mapping that no thread uses any more. */
  unmap([{ address }]: [MappedRegion]): void {
    this.#mappings.splice(this.#mappings.indexOf(address), 1)
    unmap(address, this.size)
  }

  queue(options: VirtqueueDriverOptions = {}): GuestQueue {
    const queue = new GuestQueue(this.memory, options)
    this.#queues.push(queue)
    return queue
  }

  /** When nobody uses it any more. */
  close(): void {
    for (const queue of this.#queues) queue.close()
    for (const address of this.#mappings) unmap(address, this.size)
    close(this.file)
  }
}

/** A queue, with its events. */
export class GuestQueue {
  readonly driver: VirtqueueDriver
  readonly kick: number = event()
  readonly call: number = event()
  readonly error: number = event()
  /** How often it was called. */
  calls = 0
  readonly #watch: { close(): void }
  readonly #waiting = new Map<number, (used: UsedRequest) => void>()

  constructor(memory: DriverMemory, options: VirtqueueDriverOptions) {
    this.driver = new VirtqueueDriver(memory, options)
    this.driver.enableCalls()
    this.#watch = watch(this.call, () => {
      clear(this.call)
      this.calls++
      this.take()
    })
  }

  /** How a vring with this queue is to run. */
  setup(other: Partial<VringSetup> = {}): VringSetup {
    const { size, descriptors, available, used, features } = this.driver
    const { kick, call, error } = this
    const parts = { size, descriptors, available, used, features, kick, call, error }
    return { ...parts, usedLog: null, base: 0, inflight: null, log: null, ...other }
  }

  /** Sends a request. @returns a promise of it, when it was used */
  send(bytes: Uint8Array, room = 16): Promise<UsedRequest> {
    const used = this.add(bytes, room)
    this.show()
    return used
  }

  /** As {@link send}, and the device does not see it before {@link show}. */
  add(bytes: Uint8Array, room = 16): Promise<UsedRequest> {
    const head = this.driver.add([bytes], [room])
    return new Promise((resolve) => this.#waiting.set(head, resolve))
  }

  show(): void {
    this.driver.publish()
    if (this.driver.needsKick()) signal(this.kick)
  }

  /** Takes what was used, whether it was called or not. */
  take(): void {
    do {
      for (let used = this.driver.takeUsed(); used !== null; used = this.driver.takeUsed()) {
        const resolve = this.#waiting.get(used.head)
        assert.ok(resolve, 'the device used what was not sent')
        this.#waiting.delete(used.head)
        resolve(used)
      }
    } while (this.driver.enableCalls())
  }

  close(): void {
    this.#watch.close()
    for (const fd of [this.kick, this.call, this.error]) close(fd)
  }
}
