/**
 * A backend without threads, for tests of sessions: it keeps a journal of what it was told, and objects
 * to whatever its contract does not allow.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { fstatSync } from 'node:fs'
import { UserWorkerError } from '../errors.js'
import { nextTurn } from '../os/clock.js'
import { viewOf } from '../os/mapping.js'
import { VIRTIO_F_VERSION_1, VIRTIO_RING_F_EVENT_IDX } from '../virtio/index.js'
import type { Backend, MappedRegion, VringChange, VringSetup } from './backend.js'

export class FakeBackend implements Backend {
  readonly features = VIRTIO_F_VERSION_1 | VIRTIO_RING_F_EVENT_IDX | 0x44n
  readonly vrings: number
  readonly journal: string[] = []
  readonly running = new Map<number, VringSetup>()
  /** What a vring would have taken next when it is stopped: so much more than its base. */
  progress = 0
  config = new Uint8Array(60).map((_, index) => index)
  regions: readonly MappedRegion[] = []
  isOwned = false
  onConfigChange: (() => void) | null = null
  onBroken: ((vring: number, error: Error) => void) | null = null
  onFailure: ((error: Error) => void) | null = null
  /** The vrings that were broken. */
  readonly broken = new Set<number>()
  /** What fails once, by the name of the method. */
  readonly failures = new Map<string, Error>()
  readonly #busy = new Set<number>()

  constructor(vrings = 2) {
    this.vrings = vrings
  }

  /** How its contract was broken: what it throws may look like a refusal of its own. */
  readonly violations: string[] = []

  /** What was told since the last call. */
  take(): string[] {
    return this.journal.splice(0)
  }

  isBroken(index: number): boolean {
    return this.broken.has(index)
  }

  readConfig(offset: number, length: number): Uint8Array {
    return this.config.subarray(offset, offset + length)
  }

  writeConfig(offset: number, bytes: Uint8Array): boolean {
    // As that of a disk: only the write-back toggle may be written to.
    if (offset !== 32 || bytes.length !== 1) return false
    this.config.set(bytes, offset)
    return true
  }

  async setOwner(): Promise<void> {
    await this.#step('setOwner')
    if (this.isOwned) throw new UserWorkerError('EBUSY', 'The device has an owner')
    this.isOwned = true
  }

  async resetOwner(): Promise<void> {
    await this.#step('resetOwner')
    this.#demand(this.isOwned, 'it has an owner')
    this.isOwned = false
    this.running.clear()
    this.regions = []
  }

  async setMemory(regions: readonly MappedRegion[]): Promise<void> {
    this.#demand(this.isOwned, 'it has an owner')
    this.#demand(this.running.size === 0, 'no vring runs while the memory changes')
    const shown = regions.map(({ guest, size }) => `${guest.toString(16)}+${size.toString(16)}`)
    await this.#step(`setMemory [${shown.join(', ')}]`)
    for (const { address, size } of regions) touch(address, size)
    this.regions = regions
  }

  async startVring(index: number, setup: VringSetup): Promise<void> {
    this.#demand(this.isOwned, 'it has an owner')
    this.#demand(!this.running.has(index), 'it does not run yet')
    this.#demand((setup.features & ~this.features) === 0n, 'features that are offered')
    const { size, base, kick, call, error, inflight, log, descriptors, used } = setup
    this.#demandOpen([kick, call, error])
    if (inflight !== null) touch(inflight.address, inflight.size)
    if (log !== null) touch(log.address, log.size)
    this.#checkAddress(descriptors, 16 * size)
    this.#checkAddress(used, 6 + 8 * size)
    await this.#exclusive(index, `start ${index} size=${size} base=${base}`)
    this.running.set(index, setup)
  }

  async changeVring(index: number, change: VringChange): Promise<void> {
    const setup = this.running.get(index)
    this.#demand(setup !== undefined, 'it runs')
    this.#demandOpen([change.call ?? null, change.error ?? null])
    // What is replaced is in use until this has resolved.
    this.#demandOpen([setup.call, setup.error])
    if (setup.log !== null) touch(setup.log.address, setup.log.size)
    await this.#exclusive(index, `change ${index} ${Object.keys(change).join()}`)
    this.running.set(index, { ...setup, ...change })
  }

  async stopVring(index: number): Promise<number> {
    const setup = this.running.get(index)
    this.#demand(setup !== undefined, 'it runs')
    this.#demandOpen([setup.kick, setup.call, setup.error])
    for (const { address, size } of this.regions) touch(address, size)
    await this.#exclusive(index, `stop ${index}`)
    this.running.delete(index)
    return (setup.base + this.progress) & 0xffff
  }

  #demand(holds: boolean, otherwise: string): asserts holds {
    if (holds) return
    this.violations.push(otherwise)
    assert.fail(otherwise)
  }

  #demandOpen(fds: readonly (number | null)[]): void {
    for (const fd of fds) this.#demand(fd === null || isOpen(fd), 'descriptors that are open')
  }

  #checkAddress(guest: number, length: number): void {
    const found = this.regions.some(
      (region) => guest >= region.guest && guest + length <= region.guest + region.size,
    )
    this.#demand(found, 'the ring is in the memory')
  }

  async #exclusive(index: number, what: string): Promise<void> {
    this.#demand(!this.#busy.has(index), 'one call at a time about a vring')
    this.#busy.add(index)
    try {
      await this.#step(what)
    } finally {
      this.#busy.delete(index)
    }
  }

  async #step(what: string): Promise<void> {
    this.journal.push(what)
    await nextTurn()
    const name = what.replace(/ .*/, '')
    const failure = this.failures.get(name)
    this.failures.delete(name)
    if (failure !== undefined) throw failure
  }
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}

/** Reads the first and the last byte: of memory that is not mapped, it ends the process. */
function touch(address: number, size: number): void {
  for (const at of [address, address + size - 1]) {
    assert.ok(new Uint8Array(viewOf(at, 1))[0] !== undefined)
  }
}
