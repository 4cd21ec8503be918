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
import { signal } from '../../os/events.js'
import { GuestMemory, SplitQueue, type QueueRequest } from '../../virtio/index.js'
import type { VringChange, VringSetup } from '../backend.js'
import type { Device } from '../device.js'
import { DirtyLogView } from '../dirty-log.js'
import { InflightTracker } from '../inflight.js'

/** So many requests, and it is another vring's turn. */
const share = 128

/** What a vring needs of its surroundings. */
export interface Surroundings {
  readonly device: Device
  /** Adds the work of this vring. */
  add(): void
  /** The device answers by a promise. */
  await<T>(promise: Promise<T>): Promise<T>
  broken(error: unknown): void
}

export class Vring {
  readonly setup: VringSetup
  readonly #index: number
  readonly #queue: SplitQueue
  readonly #around: Surroundings
  readonly #inflight: InflightTracker | null
  #change: VringChange = {}
  #log: DirtyLogView | null
  #state: 'running' | 'halting' | 'halted' | 'broken' = 'running'
  #underWay = 0
  /** Completed, and not shown to the driver yet. */
  readonly #done: number[] = []
  #isWorking = false
  /** Hears that it has halted. */
  #halted: () => void = () => {}

  /** @throws RingError: a part of it is not in the memory, or misaligned */
  constructor(index: number, setup: VringSetup, memory: GuestMemory, around: Surroundings) {
    this.setup = setup
    this.#index = index
    this.#around = around
    this.#log = setup.log === null ? null : new DirtyLogView(setup.log)
    this.#inflight = setup.inflight === null ? null : new InflightTracker(setup.inflight)
    const { size, descriptors, available, used, features, base } = setup
    this.#queue = new SplitQueue(
      memory,
      { size, descriptors, available, used, features, base },
      (chain, written) => this.#completed(chain, written),
    )
  }

  /** Requests that an earlier backend had under way are served first; then those that wait. */
  begin(): void {
    const heads = this.#inflight?.recover(this.#queue.usedIndex) ?? null
    if (heads !== null) {
      this.#queue.nextAvailable = (this.#queue.usedIndex + heads.length) & 0xffff
      this.#guarded(() => {
        for (const head of heads) this.#serve(this.#queue.request(head))
      })
    }
    this.#around.add()
  }

  /** Its turn. */
  work(): void {
    if (this.#state === 'running') this.#guarded(() => this.#take())
    this.#publish()
    this.#settle()
  }

  change(change: VringChange): void {
    this.#change = { ...this.#change, ...change }
    if (change.log === null) this.#log = null
    else if (change.log !== undefined) this.#log = new DirtyLogView(change.log)
  }

  /** Takes no more; resolves once nothing is under way. @returns its base from then on */
  async halt(): Promise<number> {
    if (this.#state === 'running') this.#state = 'halting'
    this.#publish()
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#halted = resolve
      })
    }
    this.#state = 'halted'
    return this.#queue.nextAvailable
  }

  #take(): void {
    const queue = this.#queue
    queue.disableKicks()
    for (let left = share; left > 0; left--) {
      let request = queue.next()
      if (request === null) {
        this.#publish()
        // Whoever adds after this kicks; whoever has added before is found here.
        if (!queue.enableKicks()) return
        queue.disableKicks()
        request = queue.next()
        if (request === null) continue
      }
      this.#inflight?.begin(request.head)
      this.#serve(request)
    }
    this.#around.add()
  }

  #serve(request: QueueRequest): void {
    this.#underWay++
    const answer = this.#around.device.process(request, this.#index)
    if (answer === undefined) return
    if (typeof answer === 'number') return request.complete(answer)
    void this.#around.await(answer).then(
      (written) => this.#guarded(() => request.complete(written)),
      (error: unknown) => {
        this.#break(error)
        this.#left()
      },
    )
  }

  #completed(request: QueueRequest, written: number): void {
    if (this.#state !== 'broken') {
      this.#log?.markRequest(request.writable, written)
      this.#queue.push(request.head, written)
      this.#done.push(request.head)
    }
    this.#left()
  }

  /** One less is under way. */
  #left(): void {
    this.#underWay--
    // It is shown at the end of the turn that goes on, or at the next.
    if (!this.#isWorking) this.#around.add()
  }

  /** Shows the driver what was completed. */
  #publish(): void {
    if (this.#done.length === 0 || this.#state === 'broken') return
    const queue = this.#queue
    this.#inflight?.batch(this.#done)
    const isCalled = queue.publish()
    this.#inflight?.published(this.#done, queue.usedIndex)
    this.#logUsed()
    this.#done.length = 0
    const call = this.#current('call')
    if (isCalled && call !== null) signal(call)
  }

  #logUsed(): void {
    const at = this.#current('usedLog')
    // The whole ring: it is a few pages, and most of it is written soon.
    if (at !== null) this.#log?.mark(at, 6 + 8 * this.setup.size)
  }

  #settle(): void {
    if (this.#underWay === 0) this.#halted()
  }

  /** What the driver or the device does wrong breaks this vring, and nothing else. */
  #guarded(run: () => void): void {
    const wasWorking = this.#isWorking
    this.#isWorking = true
    try {
      run()
    } catch (error) {
      this.#break(error)
    } finally {
      this.#isWorking = wasWorking
    }
  }

  #break(error: unknown): void {
    if (this.#state === 'broken' || this.#state === 'halted') return
    this.#publish()
    this.#state = 'broken'
    const fd = this.#current('error')
    if (fd !== null) signal(fd)
    this.#around.broken(error)
  }

  #current<Name extends 'call' | 'error' | 'usedLog'>(name: Name): number | null {
    const changed = this.#change[name]
    return changed === undefined ? this.setup[name] : changed
  }
}
