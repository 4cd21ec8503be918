/**
 * A device in the thread of a worker, with those of its vrings that this worker runs.
 *
 * @module
 */
import { viewOf } from '../../os/mapping.js'
import { GuestMemory, windowsOf } from '../../virtio/index.js'
import { loadModule } from '../../worker/thread-side.js'
import type { MappedRegion, VringChange, VringSetup } from '../backend.js'
import type { Device, DeviceHost } from '../device.js'
import { deviceOf } from '../instance.js'
import type { Command } from './commands.js'
import type { Crew } from './crew.js'
import { Vring } from './vring.js'

type Opening = Extract<Command, { type: 'open' }>

/** What the device has asked for by its host. */
interface Asked {
  readonly onStop: ReadonlySet<() => void>
  /** Whether it completes its requests by a wait of its own. */
  hasOwnWait(): boolean
}

/** A vring that runs here. */
interface Running {
  readonly vring: Vring
  readonly item: number
  readonly kick: { close(): void } | null
}

export class Aboard {
  readonly #crew: Crew
  readonly #number: number
  readonly #device: Device
  readonly #asked: Asked
  #memory = new GuestMemory([])
  #features: bigint | null = null
  readonly #running = new Map<number, Running>()

  private constructor(crew: Crew, number: number, device: Device, asked: Asked) {
    this.#crew = crew
    this.#number = number
    this.#device = device
    this.#asked = asked
  }

  /** Makes the device in this thread. @throws what its module throws */
  static async open(crew: Crew, { device, module: url, data }: Opening): Promise<Aboard> {
    const module = await loadModule(url)
    let hasOwnWait = false
    const onStop = new Set<() => void>()
    const host: DeviceHost = {
      isControl: false,
      name: crew.name,
      watch: (fd, listener) => crew.watch(fd, 'level', listener),
      sleepBy: (sleep) => {
        const wait = crew.sleepBy(sleep)
        hasOwnWait = true
        return {
          close: () => {
            hasOwnWait = false
            wait.close()
          },
        }
      },
      onStop: (listener) => {
        onStop.add(listener)
        return { close: () => void onStop.delete(listener) }
      },
      configChanged: () => {
        throw new Error('The configuration space is changed by the instance in the control thread')
      },
    }
    const made = await deviceOf(url, module, data, host)
    return new Aboard(crew, device, made, { onStop, hasOwnWait: () => hasOwnWait })
  }

  /** All vrings have been stopped. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((vring) => this.stop(vring)))
    await this.#device.close?.()
  }

  start(index: number, item: number, setup: VringSetup): void {
    if (this.#features !== setup.features) {
      this.#device.negotiated?.(setup.features)
      this.#features = setup.features
    }
    const vring = this.#make(index, item, setup)
    const add = (): boolean => this.#crew.add(item)
    const kick = setup.kick === null ? null : this.#crew.watch(setup.kick, 'edge', add)
    const isWaiting = (): boolean => vring.isWaiting && !this.#asked.hasOwnWait()
    this.#crew.set(item, {
      work: () => vring.work(),
      get isWaiting() {
        return isWaiting()
      },
    })
    this.#running.set(index, { vring, item, kick })
    vring.begin()
  }

  change(index: number, change: VringChange): void {
    this.#running.get(index)?.vring.change(change)
  }

  /** @returns its base; -1 where it does not run here */
  async stop(index: number): Promise<number> {
    const running = this.#running.get(index)
    if (running === undefined) return -1
    running.kick?.close()
    const halted = running.vring.halt()
    if (running.vring.isWaiting) for (const listener of this.#asked.onStop) listener()
    const base = await halted
    this.#crew.unset(running.item)
    this.#running.delete(index)
    return base
  }

  /** The vrings go on in this memory; what is under way is finished before. */
  async setMemory(regions: readonly MappedRegion[]): Promise<void> {
    const memory = new GuestMemory(
      regions.map(({ guest, size, address }) => ({
        guest,
        size,
        address,
        windows: windowsOf(size).map(
          ({ offset, length }) => new Uint8Array(viewOf(address + offset, length)),
        ),
      })),
    )
    const running = [...this.#running]
    await Promise.all(running.map(([index]) => this.stop(index)))
    this.#memory = memory
    for (const [index, { vring, item }] of running) {
      // It stands, until it is stopped.
      this.#running.set(index, { vring, item, kick: null })
      if (vring.isBroken) continue
      try {
        this.start(index, item, vring.setup)
      } catch (error) {
        this.#crew.broken(this.#number, index, error)
      }
    }
  }

  #make(index: number, item: number, setup: VringSetup): Vring {
    return new Vring(index, setup, this.#memory, {
      device: this.#device,
      add: () => this.#crew.add(item),
      await: (promise) => this.#crew.await(promise),
      broken: (error) => this.#crew.broken(this.#number, index, error),
    })
  }
}
