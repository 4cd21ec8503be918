/**
 * A device with the workers that serve its vrings: the owner's side, behind the protocol.
 *
 * | state    | means                              | goes to                                           |
 * | -------- | ---------------------------------- | ------------------------------------------------- |
 * | unowned  | nobody uses it: it has no workers  | owned: `setOwner`; released: `release`            |
 * | owned    | its workers are there, or come     | leaving: `resetOwner`, `release`, a failed owning |
 * | leaving  | its workers go; nothing new begins | unowned, when they have gone                      |
 * | released | over                               |                                                   |
 *
 * To be taken and to be left are done one after the other, whoever asks meanwhile.
 *
 * A vring runs where it is attached. What is asked of one vring is done one after the other, whoever
 * asks: the session and `attach` may come at once.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { defaultLoadDeadlineMs, loadModule, loadTimeout } from '../worker/index.js'
import {
  VIRTIO_F_VERSION_1,
  VIRTIO_RING_F_EVENT_IDX,
  VIRTIO_RING_F_INDIRECT_DESC,
} from '../virtio/index.js'
import type { Backend, MappedRegion, VringChange, VringSetup } from './backend.js'
import type { Device } from './device.js'
import { workersOf, type DevicePlan } from './device-plan.js'
import { configOf, controlHost, deviceOf } from './instance.js'
import { patiently, within } from './patience.js'
import { standing, type Vring } from './vring-place.js'
import { checkLives, reinsOf, VhostWorker, type VhostWorkerOptions } from './worker/index.js'

/** What every device offers, whatever it is; a session adds what it does itself. */
const transportFeatures = VIRTIO_F_VERSION_1 | VIRTIO_RING_F_INDIRECT_DESC | VIRTIO_RING_F_EVENT_IDX

/** Numbers for devices, in all workers of this thread. */
let lastNumber = 0

export class VhostDevice implements Backend {
  readonly features: bigint
  readonly vrings: number
  onConfigChange: (() => void) | null = null
  onBroken: ((vring: number, error: Error) => void) | null = null
  onFailure: ((error: Error) => void) | null = null
  /** Called when something takes long that the device's author has in hand. */
  onProblem: ((error: Error) => void) | null = null
  readonly #plan: DevicePlan
  readonly #control: Device
  readonly #number = ++lastNumber
  readonly #vrings: Vring[]
  #state: 'unowned' | 'owned' | 'leaving' | 'released' = 'unowned'
  /** The last change of that. */
  #changed: Promise<void> = Promise.resolve()
  /** Those it has made itself, and frees. */
  readonly #own = new Set<VhostWorker>()
  /** Where it was opened, each with the promise of that. */
  readonly #boarded = new Map<VhostWorker, Promise<unknown>>()
  #regions: readonly MappedRegion[] = []

  private constructor(
    plan: DevicePlan,
    control: Device,
    configChanged: (listener: () => void) => void,
  ) {
    this.#plan = plan
    this.#control = control
    this.features = (control.features ?? 0n) | transportFeatures
    this.vrings = control.vrings ?? 1
    this.#vrings = Array.from({ length: this.vrings }, standing)
    configChanged(() => this.onConfigChange?.())
  }

  /** @throws what its module throws; TypeError EINVAL: it is no device */
  static async create(plan: DevicePlan): Promise<VhostDevice> {
    const { module, data, name } = plan
    let changed = (): void => {}
    const host = controlHost(name, () => changed())
    const control = await deviceOf(module, await loadModule(module), data, host)
    return new VhostDevice(plan, control, (listener) => {
      changed = listener
    })
  }

  /** What kind of device it is. */
  get id(): number {
    return this.#control.id
  }

  get isOwned(): boolean {
    return this.#state === 'owned'
  }

  readConfig(offset: number, length: number): Uint8Array {
    return configOf(this.#control, this.#plan.name).subarray(offset, offset + length)
  }

  writeConfig(offset: number, bytes: Uint8Array): boolean {
    return this.#control.writeConfig?.(offset, bytes) ?? false
  }

  async setOwner(): Promise<void> {
    if (this.#state !== 'unowned') {
      const isOver = this.#state === 'released'
      const text = `Device '${this.#plan.name}' ${isOver ? 'was released' : 'has an owner already'}`
      throw new UserWorkerError(isOver ? 'ENOSYS' : 'EBUSY', text)
    }
    this.#state = 'owned'
    await this.#change(async () => {
      try {
        const workers = await workersOf(this.#plan, this.#own)
        await Promise.all(workers.map((worker) => this.#board(worker)))
        // One that was there may have ended while others came: it has had no vring that would be lost.
        workers.forEach(checkLives)
        for (const [index, vring] of this.#vrings.entries()) {
          vring.worker = workers[index % workers.length] ?? null
          vring.lost = null
        }
      } catch (error) {
        // What failed is what the caller hears of.
        await this.#leave().catch(() => {})
        throw error
      }
    })
  }

  /** @throws what the device's `close` threw; all is freed none the less */
  async resetOwner(): Promise<void> {
    if (this.#state === 'owned') this.#state = 'leaving'
    await this.#change(() => this.#leave())
  }

  /** The end: nothing of it is left afterwards (VH-6). @throws as {@link resetOwner} */
  async release(): Promise<void> {
    try {
      await this.resetOwner()
    } finally {
      const isOver = this.#state === 'released'
      this.#state = 'released'
      if (!isOver) await this.#control.close?.()
    }
  }

  async setMemory(regions: readonly MappedRegion[]): Promise<void> {
    this.#regions = regions
    const device = this.#number
    await Promise.all(
      [...this.#boarded].map(async ([worker, opened]) => {
        await opened
        await reinsOf(worker).command({ type: 'memory', device, regions })
      }),
    )
  }

  startVring(index: number, setup: VringSetup): Promise<void> {
    return this.#inTurn(index, async (vring) => {
      await this.#run(vring, index, setup)
    })
  }

  changeVring(index: number, change: VringChange): Promise<void> {
    return this.#inTurn(index, async (vring) => {
      if (vring.setup === null || vring.worker === null) return
      vring.setup = { ...vring.setup, ...change }
      const device = this.#number
      await reinsOf(vring.worker).command({ type: 'change', device, vring: index, change })
    })
  }

  stopVring(index: number): Promise<number> {
    return this.#inTurn(index, (vring) => this.#halt(vring, index))
  }

  isBroken(index: number): boolean {
    return this.#vring(index).isBroken
  }

  /** A further worker (VH-30). @throws UserWorkerError ENODEV: it has no owner */
  async newWorker(options: VhostWorkerOptions): Promise<VhostWorker> {
    this.#checkOwned()
    const worker = await VhostWorker.create(options)
    this.#own.add(worker)
    if (!this.isOwned) await this.freeWorker(worker)
    this.#checkOwned()
    return worker
  }

  /** Frees a worker of its own (VH-31). */
  async freeWorker(worker: VhostWorker): Promise<void> {
    if (!this.#own.has(worker)) {
      const text = `Worker '${worker.name}' is none that device '${this.#plan.name}' has made`
      throw new UserWorkerError('ENODEV', text)
    }
    const attached = this.#vrings.flatMap((vring, index) =>
      vring.worker === worker ? [index] : [],
    )
    if (attached.length > 0) {
      const text = `Worker '${worker.name}' serves the vrings ${attached.join(', ')}: attach them to others first`
      throw new UserWorkerError('EBUSY', text)
    }
    await this.#alight(worker)
    this.#own.delete(worker)
    await worker.free()
  }

  /** Lets a vring be served by another worker (VH-32). */
  async attach(index: number, worker: VhostWorker): Promise<void> {
    this.#vring(index)
    this.#checkOwned()
    checkLives(worker)
    await this.#board(worker)
    await this.#inTurn(index, async (vring) => {
      this.#checkOwned()
      checkLives(worker)
      if (vring.worker !== worker) await this.#move(vring, index, worker)
    })
  }

  /** Who serves a vring (VH-33); null where it has no owner, or its worker has ended. */
  workerOf(index: number): VhostWorker | null {
    return this.#vring(index).worker
  }

  /** All that was queued for it before has run (VH-15). */
  async flush(): Promise<void> {
    await Promise.all([...this.#boarded.keys()].map((worker) => worker.flush()))
  }

  #change(run: () => Promise<void>): Promise<void> {
    const changed = this.#changed.then(run)
    this.#changed = changed.catch(() => {})
    return changed
  }

  /** All vrings end, then the instances, then its workers, whichever of them fails at that. */
  async #leave(): Promise<void> {
    if (this.#state === 'owned') this.#state = 'leaving'
    const ends = [
      ...(await Promise.allSettled(this.#vrings.map((vring, index) => this.#end(vring, index)))),
      ...(await Promise.allSettled([...this.#boarded.keys()].map((each) => this.#alight(each)))),
      ...(await Promise.allSettled([...this.#own].map((each) => each.free().catch(ignoreEnded)))),
    ]
    this.#own.clear()
    this.#regions = []
    if (this.#state === 'leaving') this.#state = 'unowned'
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  /** The device is in this worker afterwards, with its memory. */
  #board(worker: VhostWorker): Promise<unknown> {
    const before = this.#boarded.get(worker)
    if (before !== undefined) return before
    const reins = reinsOf(worker)
    const { module, data, name } = this.#plan
    const device = this.#number
    reins.enter(device, {
      broken: (index, error) => {
        this.#vring(index).isBroken = true
        this.onBroken?.(index, error)
      },
      ended: (error) => this.#lost(worker, error),
    })
    const regions = this.#regions
    const made = reins.command({ type: 'open', device, module, data, name })
    const opened = within(defaultLoadDeadlineMs, made, () => {
      // It may come to an end later, when nobody wants it any more.
      void made.then(() => reins.command({ type: 'close', device })).catch(() => {})
      return loadTimeout(module, defaultLoadDeadlineMs)
    }).then(() => reins.command({ type: 'memory', device, regions }))
    this.#boarded.set(worker, opened)
    opened.catch(() => {
      this.#boarded.delete(worker)
      reins.leave(device)
    })
    return opened
  }

  /** The device leaves this worker. */
  async #alight(worker: VhostWorker): Promise<void> {
    const isThere = await this.#boarded.get(worker)?.then(
      () => true,
      () => false,
    )
    this.#boarded.delete(worker)
    if (isThere !== true) return
    const reins = reinsOf(worker)
    try {
      const closed = reins.command({ type: 'close', device: this.#number }).catch(ignoreEnded)
      await this.#patiently('its close() has not come to an end', closed)
    } finally {
      reins.leave(this.#number)
    }
  }

  /** Where it cannot go on there, it stands, and its connection is to be dropped. */
  async #move(vring: Vring, index: number, worker: VhostWorker): Promise<void> {
    const { setup } = vring
    const base = setup === null ? 0 : await this.#halt(vring, index)
    vring.worker = worker
    if (setup === null) return
    try {
      await this.#run(vring, index, { ...setup, base })
    } catch (error) {
      // Else it has ended after that, and this was told.
      if (vring.worker === worker) {
        vring.worker = null
        vring.lost = error as Error
        this.onFailure?.(vring.lost)
      }
      throw error
    }
  }

  async #run(vring: Vring, index: number, setup: VringSetup): Promise<void> {
    const { worker } = vring
    if (worker === null) {
      const text = `Vring ${index} of device '${this.#plan.name}' has no worker`
      throw new UserWorkerError('ENODEV', text)
    }
    const reins = reinsOf(worker)
    const item = reins.takeItem()
    vring.isBroken = false
    try {
      await reins.command({ type: 'start', device: this.#number, vring: index, item, setup })
    } catch (error) {
      reins.giveItem(item)
      throw error
    }
    vring.setup = setup
    vring.item = item
    vring.lost = null
  }

  /** @returns its base; 0 where it stands. @throws the error of its worker's end, where that ended it */
  async #halt(vring: Vring, index: number): Promise<number> {
    const { worker, setup, item, lost } = vring
    if (lost !== null) throw lost
    if (setup === null || worker === null) return 0
    vring.setup = null
    const reins = reinsOf(worker)
    const stopped = reins.command({ type: 'stop', device: this.#number, vring: index })
    const what = `vring ${index} is to stop, and waits for requests that it has not completed`
    const base = await this.#patiently(what, stopped)
    reins.giveItem(item)
    return base
  }

  /** As {@link #halt}, and it has no worker any more. */
  async #end(vring: Vring, index: number): Promise<void> {
    try {
      await this.#inTurn(index, () => this.#halt(vring, index)).catch(ignoreEnded)
    } finally {
      vring.worker = null
    }
  }

  /** A worker has ended by itself: its vrings stand. */
  #lost(worker: VhostWorker, error: Error): void {
    this.#boarded.delete(worker)
    this.#own.delete(worker)
    const lost = this.#vrings.filter((vring) => vring.worker === worker)
    for (const vring of lost) {
      if (vring.setup !== null) vring.lost = error
      vring.worker = null
      vring.setup = null
    }
    if (lost.length > 0) this.onFailure?.(error)
  }

  #patiently<T>(what: string, promise: Promise<T>): Promise<T> {
    const sentence = `Device '${this.#plan.name}': ${what}`
    return patiently(sentence, promise, (problem) => this.onProblem?.(problem))
  }

  async #inTurn<T>(index: number, run: (vring: Vring) => Promise<T>): Promise<T> {
    const vring = this.#vring(index)
    const done = vring.turn.then(() => run(vring))
    vring.turn = done.catch(() => {})
    return await done
  }

  #vring(index: number): Vring {
    const vring = this.#vrings[index]
    if (vring !== undefined) return vring
    const text = `Device '${this.#plan.name}' has ${this.vrings} vrings, and no vring ${index}`
    throw new UserWorkerError('ENOBUFS', text)
  }

  #checkOwned(): void {
    if (this.isOwned) return
    const text = `Device '${this.#plan.name}' has no owner: no frontend uses it, so it has no workers`
    throw new UserWorkerError('ENODEV', text)
  }
}

/** A worker that has ended has nothing left to be undone. */
function ignoreEnded(error: unknown): number {
  const { code } = error as { code?: unknown }
  if (code === 'ERR_WORKER_DIED' || code === 'ENODEV' || code === 'ENOSYS') return 0
  throw error
}
