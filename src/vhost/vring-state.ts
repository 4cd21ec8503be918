/**
 * One vring, as a frontend sets it up: piece by piece, in any order.
 *
 * | state    | what holds                                                       | left by                        |
 * | -------- | ---------------------------------------------------------------- | ------------------------------ |
 * | stopped  | something of {size, addresses, base, kick, enabled, features,    | the last of them: running      |
 * |          | memory} is missing                                               |                                |
 * | running  | the backend serves it                                            | disabled, halted: stopped      |
 * | broken   | the driver or the device has broken it: it stands, whatever      | a new kick, GET_VRING_BASE, a  |
 * |          | changes beside it                                                | reset: stopped                 |
 *
 * `enabled` is the frontend's word of SET_VRING_ENABLE. Nothing but that, and a reset of the device,
 * changes it: some frontends say it once, before anything else. A vring that was disabled goes on where
 * it stood once it is enabled; one that was halted begins at a new kick.
 *
 * Its descriptors belong to it from the moment they are given: each is closed when it was replaced, and
 * the thread has put it down, or at the end.
 *
 * @module
 */
import { neverWait } from '../os/events.js'
import type { Backend, DirtyLog, VringSetup } from './backend.js'
import type { MemoryTable } from './memory-table.js'
import type { VringAddress } from './payloads.js'
import { demand, Refusal } from './refusal.js'
import { closeIfAny, longestQueue, type InflightRegion } from './mapped-areas.js'

/** What all vrings of a session have in common. */
export interface VringContext {
  readonly backend: Backend
  readonly memory: MemoryTable
  /** The features that the driver took; null before. */
  readonly features: bigint | null
  /** Whether vrings run without being enabled: the protocol was agreed on without that message. */
  readonly enablesAll: boolean
  readonly inflight: InflightRegion | null
  /** Null while nothing is logged. */
  readonly log: DirtyLog | null
}

/** VHOST_VRING_F_LOG */
const logsUsedRing = 1

export class VringState {
  readonly #index: number
  readonly #context: VringContext
  #size: number | null = null
  #addresses: VringAddress | null = null
  #base: number | null = null
  /** Null before it was given; its descriptor is null where the vring is polled. */
  #kick: { readonly fd: number | null } | null = null
  #call: number | null = null
  #error: number | null = null
  #enabled = false
  #isRunning = false
  #isBroken = false
  /** Descriptors that a thread which failed may still use. */
  readonly #doubtful: (number | null)[] = []

  constructor(index: number, context: VringContext) {
    this.#index = index
    this.#context = context
  }

  setSize(size: number): void {
    this.#demandStopped('SET_VRING_NUM')
    const fits = size > 0 && size <= longestQueue && (size & (size - 1)) === 0
    demand(fits, `A vring of ${size} descriptors: it takes a power of two up to ${longestQueue}`)
    this.#size = size
  }

  setBase(base: number): void {
    this.#demandStopped('SET_VRING_BASE')
    demand(base <= 0xffff, `The base ${base} of vring ${this.#index} is none: it has 16 bits`)
    this.#base = base
  }

  /** While it runs, only whether and where its used ring is logged may change. */
  async setAddresses(addresses: VringAddress): Promise<void> {
    const before = this.#addresses
    if (this.#isRunning) {
      const same = (['descriptors', 'available', 'used'] as const).every(
        (part) => addresses[part] === before?.[part],
      )
      demand(same, `Vring ${this.#index} runs, and is to be stopped before it is moved`)
      await this.#context.backend.changeVring(this.#index, { usedLog: usedLogOf(addresses) })
    }
    this.#addresses = addresses
  }

  /** @param fd - null: it is polled. It belongs to the vring from now on, whatever happens. */
  async setKick(fd: number | null): Promise<void> {
    const before = this.#kick
    this.#kick = { fd }
    // No thread has it once the vring is stopped; where that fails, nobody knows.
    this.#doubtful.push(before?.fd ?? null)
    await this.pause()
    this.#isBroken = false
    closeIfAny(this.#doubtful.pop() ?? null)
  }

  async setCall(fd: number | null): Promise<void> {
    // A thread that waits in a signal hears nothing any more, and ends with nothing.
    if (fd !== null) neverWait(fd)
    this.#doubtful.push(this.#call)
    this.#call = fd
    if (this.#isRunning) await this.#context.backend.changeVring(this.#index, { call: fd })
    closeIfAny(this.#doubtful.pop() ?? null)
  }

  async setError(fd: number | null): Promise<void> {
    if (fd !== null) neverWait(fd)
    this.#doubtful.push(this.#error)
    this.#error = fd
    if (this.#isRunning) await this.#context.backend.changeVring(this.#index, { error: fd })
    closeIfAny(this.#doubtful.pop() ?? null)
  }

  async setEnabled(enabled: boolean): Promise<void> {
    this.#enabled = enabled
    if (!this.#mayRun) await this.pause()
  }

  /** The log of the session is another one now. */
  async logChanged(): Promise<void> {
    if (!this.#isRunning) return
    await this.#context.backend.changeVring(this.#index, { log: this.#context.log })
  }

  /** Stops it, where it runs. It may go on where it stood. */
  async pause(): Promise<void> {
    if (!this.#isRunning) return
    this.#isBroken = this.#context.backend.isBroken(this.#index)
    this.#base = await this.#context.backend.stopVring(this.#index)
    this.#isRunning = false
  }

  /** Stops it until a new kick comes. */
  async halt(): Promise<void> {
    await this.pause()
    closeIfAny(this.#kick?.fd ?? null)
    this.#kick = null
    this.#isBroken = false
  }

  /**
   * GET_VRING_BASE: it stops, and has to be set up anew. What its events are told by stays.
   *
   * @returns the next available entry that it would have taken
   */
  async takeBase(): Promise<number> {
    await this.halt()
    const base = this.#base ?? 0
    this.#size = null
    this.#addresses = null
    this.#base = null
    return base
  }

  /** As it was at the beginning, but for what its events are told by. */
  async reset(): Promise<void> {
    await this.takeBase()
    this.#enabled = false
  }

  /** Starts it, if everything is there that it needs. @throws Refusal: it is there, and is wrong */
  async start(): Promise<void> {
    if (this.#isRunning || this.#isBroken || !this.#mayRun) return
    const setup = this.#setup()
    if (setup === null) return
    try {
      await this.#context.backend.startVring(this.#index, setup)
    } catch (error) {
      throw new Refusal(`Vring ${this.#index} cannot run: ${(error as Error).message}`)
    }
    this.#isRunning = true
  }

  /** Closes all descriptors; for the end, when no thread has any. */
  close(): void {
    for (const fd of [this.#kick?.fd ?? null, this.#call, this.#error, ...this.#doubtful]) {
      closeIfAny(fd)
    }
    this.#kick = null
    this.#call = null
    this.#error = null
    this.#doubtful.length = 0
  }

  get #mayRun(): boolean {
    return this.#enabled || this.#context.enablesAll
  }

  /** Null: something is missing. */
  #setup(): VringSetup | null {
    const { features, memory, inflight, log } = this.#context
    const [size, addresses, base, kick] = [this.#size, this.#addresses, this.#base, this.#kick]
    if (size === null || addresses === null || base === null || kick === null) return null
    if (features === null || memory.regions.length === 0) return null
    return {
      size,
      descriptors: this.#toGuest(addresses.descriptors, 16 * size),
      // Each ring ends with the index of the other side's event.
      available: this.#toGuest(addresses.available, 4 + 2 * size + 2),
      used: this.#toGuest(addresses.used, 4 + 8 * size + 2),
      usedLog: usedLogOf(addresses),
      base,
      features,
      kick: kick.fd,
      call: this.#call,
      error: this.#error,
      inflight: inflight?.of(this.#index, size) ?? null,
      log,
    }
  }

  #toGuest(user: number, length: number): number {
    const guest = this.#context.memory.toGuest(user, length)
    const where = `0x${user.toString(16)}`
    demand(guest !== null, `Vring ${this.#index} has a part at ${where}, where no memory is shared`)
    return guest
  }

  #demandStopped(request: string): void {
    demand(!this.#isRunning, `${request} came for vring ${this.#index} while it runs`)
  }
}

function usedLogOf({ flags, log }: VringAddress): number | null {
  return (flags & logsUsedRing) === 0 ? null : log
}
