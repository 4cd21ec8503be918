/**
 * A process that serves a disk: its descriptors, its event loop, its threads. It can end at any step of
 * one of them.
 *
 * @module
 */
import { built } from '../built.js'
import { doorsOf, type Port } from './doors.js'
import type { Instantiate, Library } from './library.js'
import {
  Life,
  systemError,
  type Action,
  type ListenerThing,
  type System,
  type Thing,
} from './system.js'
import { SimulatedThread } from './thread.js'

const { close: closeFile } = await built<typeof import('../../../src/os/events.js')>('os/events.js')
const { unmap } = await built<typeof import('../../../src/os/mapping.js')>('os/mapping.js')

/** The first descriptor of a thing: those of real files are far below. */
const firstFd = 1_000_000

interface Watch {
  readonly thing: Thing
  readonly listener: () => void
}

export class SimulatedProcess {
  readonly system: System
  readonly life = new Life()
  /** The code of its first thread. */
  readonly library: Library
  readonly instantiate: Instantiate
  readonly threads: SimulatedThread[] = []
  readonly watches = new Set<Watch>()
  readonly ports = new Set<Port>()
  readonly turns: Action[] = []
  /** Whether a thread of it was ended: what it had stays open. */
  hasLostThread = false
  /** Where frontends connect. */
  listener: ListenerThing | null = null
  /** How many threads cannot be made from now on. */
  refusedThreads = 0
  readonly #things = new Map<number, Thing>()
  readonly #files = new Set<number>()
  readonly #mappings = new Map<number, number>()
  #nextFd = firstFd

  constructor(system: System, instantiate: Instantiate) {
    this.system = system
    this.instantiate = instantiate
    this.library = instantiate(doorsOf(this, this.life, null))
    this.life.onEnd(() => this.#clearUp())
  }

  /** A descriptor for a thing, or for a real file that becomes this process's. */
  give(thing: Thing | number): number {
    if (typeof thing === 'number') {
      this.#files.add(thing)
      return thing
    }
    const fd = this.#nextFd++
    thing.references++
    this.#things.set(fd, thing)
    return fd
  }

  thing(fd: number): Thing {
    const thing = this.#things.get(fd)
    if (thing === undefined) throw systemError('EBADF')
    return thing
  }

  /** What is sent along when a descriptor is. */
  toSend(fd: number, dup: (fd: number) => number): Thing | number {
    return this.#things.get(fd) ?? dup(fd)
  }

  close(fd: number): void {
    const thing = this.#things.get(fd)
    if (thing === undefined) {
      if (!this.#files.delete(fd)) throw systemError('EBADF')
      closeFile(fd)
      return
    }
    this.#things.delete(fd)
    this.#release(thing)
  }

  mapped(address: number, length: number): void {
    this.#mappings.set(address, length)
  }

  unmapped(address: number): void {
    if (!this.#mappings.delete(address)) throw systemError('EINVAL')
  }

  /** What it has open: nothing, once all is over. */
  get open(): string[] {
    return [
      ...[...this.#things].map(([fd, thing]) => `${fd}: ${thing.constructor.name}`),
      ...[...this.#files].map((fd) => `file ${fd}`),
      ...[...this.#mappings].map(([address, length]) => `mapping ${address} of ${length}`),
    ]
  }

  newThread(options: ConstructorParameters<typeof SimulatedThread>[1]): SimulatedThread {
    return new SimulatedThread(this, options)
  }

  watch(fd: number, listener: () => void): { close(): void } {
    const watch = { thing: this.thing(fd), listener }
    this.watches.add(watch)
    return { close: () => void this.watches.delete(watch) }
  }

  /** What its event loop and its threads may do next. */
  actions(): Action[] {
    if (this.life.isOver) return []
    const actions: Action[] = []
    for (const { thing, listener } of this.watches) if (thing.isReadable) actions.push(listener)
    for (const port of this.ports) if (port.isDue) actions.push(() => port.deliver())
    if (this.turns.length > 0) actions.push(() => this.turns.shift()?.())
    for (const thread of this.threads) if (thread.isRunnable) actions.push(() => thread.step())
    return actions
  }

  #release(thing: Thing): void {
    if (--thing.references === 0) thing.released()
  }

  /** What the system does when a process is gone. */
  #clearUp(): void {
    for (const thing of this.#things.values()) this.#release(thing)
    this.#things.clear()
    for (const fd of this.#files) closeFile(fd)
    this.#files.clear()
    this.watches.clear()
    this.turns.length = 0
  }

  /** Mappings of one that was ended may be seen by its frames until the step is over. */
  unmapAll(): void {
    for (const [address, length] of this.#mappings) unmap(address, length)
    this.#mappings.clear()
  }
}
