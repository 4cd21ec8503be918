/**
 * A vring in the thread that serves it: takes the driver's requests, gives them to the device, and
 * gives them back.
 *
 * Its work is an item of the worker's list: a kick adds it, and so does whatever completes a request
 * outside of it. The work takes requests until there are none, or its share is used up; then it adds
 * itself again, so that the vrings of one worker take turns (VH-14).
 *
 * | state    | what it does with requests                          | ends by                      |
 * | -------- | --------------------------------------------------- | ---------------------------- |
 * | running  | takes them                                          | `halt`, or what breaks it    |
 * | halting  | takes none; those under way are finished            | the last one of them         |
 * | halted   | nothing; none is under way                          |                              |
 * | broken   | nothing, and answers none, until the driver resets  | `halt`                       |
 *
 * @module
 */
import { inspect } from 'node:util'
import { invalid } from '../../errors.js'
import { signal } from '../../os/events.js'
import { viewOf } from '../../os/mapping.js'
import {
  ringLayout,
  SplitQueue,
  type Chain,
  type GuestMemory,
  type Pieces,
} from '../../virtio/index.js'
import type { DirtyLog, VringChange, VringSetup } from '../backend.js'
import type { Device } from '../device.js'
import { DirtyPages } from '../dirty-log.js'
import { InflightTracker } from '../inflight.js'

/** So much, and it is another vring's turn. */
const share = { requests: 128, bytes: 2 ** 24 }

/** A request that takes longer than a call to the driver. */
const longBytes = 2 ** 16

/**
 * So many are shown to the driver together. It wakes while the next are served; if all of a turn were shown
 * at its end, the two would sleep by turns (measured: half as many requests).
 */
const fewAtOnce = 4

/** What a vring needs of its surroundings. */
export interface Surroundings {
  readonly device: Device
  /** Adds the work of this vring. @returns false when nothing runs any more */
  add(): boolean
  /** The device answers by a promise. */
  await(promise: Promise<void>): void
  broken(error: unknown): void
}

export class Vring {
  #setup: VringSetup
  readonly #index: number
  #queue: SplitQueue
  readonly #around: Surroundings
  readonly #inflight: InflightTracker | null
  #log: DirtyPages | null
  #state: 'running' | 'halting' | 'halted' | 'broken' = 'running'
  /** Completed, and not shown to the driver yet. */
  readonly #done: number[] = []
  #isWorking = false
  /** What an earlier backend has left under way. */
  #left: readonly number[] = []
  /** Of whoever waits until it has halted. */
  #halting: Promise<void> | null = null
  #halted: () => void = () => {}

  /** @throws RingError: a part of it is not in the memory, or misaligned */
  constructor(index: number, setup: VringSetup, memory: GuestMemory, around: Surroundings) {
    this.#setup = setup
    this.#index = index
    this.#around = around
    const { inflight, log, size } = setup
    this.#log = pagesOf(log)
    this.#inflight = inflight && new InflightTracker(viewOf(inflight.address, inflight.size), size)
    this.#queue = this.#queueFrom(memory, setup)
    if (this.#inflight === null) return
    const { heads, base } = this.#inflight.recover(this.#queue.nextUsed)
    this.#left = heads
    this.#queue = this.#queueFrom(memory, { ...setup, base })
  }

  /** Requests that an earlier backend had under way are served first; then those that wait. */
  begin(): void {
    this.#guarded(() => {
      for (const head of this.#left) this.#serve(this.#queue.take(head))
    })
    this.#around.add()
  }

  /** Its turn. */
  work(): void {
    this.#isWorking = true
    if (this.#state === 'running') this.#guarded(() => this.#take())
    this.#isWorking = false
    this.#endTurn()
  }

  /** Whether the device has requests that it may complete by what the event loop brings. */
  get isWaiting(): boolean {
    return this.#queue.underWay > 0
  }

  change(change: VringChange): void {
    this.#setup = { ...this.#setup, ...change }
    if (change.log !== undefined) this.#log = pagesOf(change.log)
  }

  /** Takes no more; resolves once nothing is under way. @returns its base from then on */
  async halt(): Promise<number> {
    if (this.#state === 'running') this.#state = 'halting'
    this.#publish()
    if (this.#queue.underWay > 0) {
      // Waker: `work`, which runs after each completion outside of it.
      this.#halting ??= new Promise<void>((resolve) => {
        this.#halted = resolve
      })
      await this.#halting
    }
    // One that is broken stays so: what it has not shown, it never shows.
    if (this.#state === 'halting') this.#state = 'halted'
    const base = this.#queue.nextAvailable
    this.#setup = { ...this.#setup, base }
    return base
  }

  get isBroken(): boolean {
    return this.#state === 'broken'
  }

  /** How it is to begin again, once it has halted. */
  get setup(): VringSetup {
    return this.#setup
  }

  #queueFrom(memory: GuestMemory, setup: VringSetup): SplitQueue {
    return new SplitQueue(memory, setup, (chain, written) => this.#completed(chain, written))
  }

  #take(): void {
    const queue = this.#queue
    queue.disableKicks()
    let bytes = 0
    for (
      let taken = 0;
      taken < share.requests && bytes < share.bytes && this.#state === 'running';
    ) {
      const request = queue.next()
      if (request === null) {
        this.#publish()
        // Nobody kicks: it is polled, and the others of this worker come in between.
        if (this.#setup.kick === null) break
        // Whoever adds after this kicks; whoever has added before is found here.
        if (!queue.enableKicks()) return
        queue.disableKicks()
        continue
      }
      taken++
      const length = request.readable.length + request.writable.length
      bytes += length
      this.#inflight?.begin(request.head)
      this.#serve(request)
      if (length >= longBytes || this.#done.length >= fewAtOnce) this.#publish()
    }
    this.#around.add()
  }

  #serve(request: Chain): void {
    const { serial } = request
    try {
      const answer = this.#around.device.process(request, this.#index)
      if (typeof answer === 'number') request.complete(answer)
      else if (answer !== undefined) this.#serveLater(request, promised(answer))
    } catch (error) {
      this.#failed(request, serial, error)
    }
  }

  #serveLater(request: Chain, answer: Promise<number>): void {
    const { serial } = request
    const complete = (written: number): void => {
      if (request.serial !== serial) throw new Error('The device has completed a request twice')
      request.complete(written)
    }
    const failed = (error: unknown): void => this.#failed(request, serial, error)
    this.#around.await(answer.then(complete).catch(failed))
  }

  #completed(request: Chain, written: number): void {
    this.#mark(request.writable, written)
    // Of a broken vring it is not shown.
    this.#queue.push(request.head, written)
    this.#done.push(request.head)
    // It is shown at the end of the turn that goes on, or at the next, or, where none comes, now.
    if (!this.#isWorking && !this.#around.add()) this.#endTurn()
  }

  /** The device cannot serve a request: nobody but it knows what the driver is to be told. */
  #failed(request: Chain, serial: number, error: unknown): void {
    this.#break(error)
    // It may have been completed before, and be another one by now.
    if (request.serial !== serial) return
    try {
      request.complete(0)
    } catch {
      // It was completed before.
    }
  }

  #endTurn(): void {
    this.#publish()
    if (this.#queue.underWay === 0) this.#halted()
  }

  /** Shows the driver what was completed. */
  #publish(): void {
    if (this.#done.length === 0 || this.#state === 'broken') return
    const queue = this.#queue
    const { call } = this.#setup
    if (this.#inflight !== null) for (const head of this.#done) this.#inflight.batch(head)
    queue.publish()
    this.#inflight?.complete(queue.nextUsed)
    this.#markUsed()
    this.#done.length = 0
    if (queue.shouldCall() && call !== null) tell(call)
  }

  /** The pages that the device has written to (VHOST_F_LOG_ALL). */
  #mark(segments: Pieces, written: number): void {
    if (this.#log === null) return
    let left = written
    for (let index = 0; left > 0; index++) {
      const size = Math.min(left, segments.size(index))
      this.#log.mark(segments.guest(index), size)
      left -= size
    }
  }

  #markUsed(): void {
    const { size, usedLog } = this.#setup
    // The whole ring: it is a few pages, and most of it is written soon.
    if (usedLog !== null) this.#log?.mark(usedLog, ringLayout.usedBytes(size, true))
  }

  /** What the driver or the device does wrong breaks this vring, and nothing else. */
  #guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#break(error)
    }
  }

  #break(error: unknown): void {
    if (this.#state === 'broken' || this.#state === 'halted') return
    this.#publish()
    this.#state = 'broken'
    const fd = this.#setup.error
    if (fd !== null) tell(fd)
    this.#around.broken(error)
  }
}

/** @throws TypeError: the device has returned something else */
function promised(answer: Promise<number>): Promise<number> {
  if (typeof (answer as Partial<Promise<number>> | null)?.then === 'function') return answer
  throw invalid(`process() must return a number, a promise of one, or nothing: ${inspect(answer)}`)
}

/** Signals the driver. A descriptor that does not take it is the driver's loss alone. */
function tell(fd: number): void {
  try {
    signal(fd)
  } catch {
    // It was to be an event, and is something else.
  }
}

function pagesOf(log: DirtyLog | null): DirtyPages | null {
  return log && new DirtyPages(viewOf(log.address, log.size))
}
