/**
 * The doors of a simulated process and its threads: to shared words, descriptors, clocks, threads. Files
 * and mappings are real; all else is the simulation's.
 *
 * @module
 */
import { built } from '../built.js'
import type { Doors } from './library.js'
import type { SimulatedProcess } from './process.js'
import {
  EventThing,
  ListenerThing,
  SetThing,
  SocketThing,
  systemError,
  wouldBlock,
} from './system.js'
import type { Life, Registration } from './system.js'
import type { SimulatedThread } from './thread.js'

const words = await built<typeof import('../../../src/os/memory.js')>('os/memory.js')
const mapping = await built<typeof import('../../../src/os/mapping.js')>('os/mapping.js')
const fileIo = await built<typeof import('../../../src/os/file-io.js')>('os/file-io.js')
const koffi = await built<typeof import('../../../src/os/koffi.js')>('os/koffi.js')
const builtin = await built<typeof import('../../../src/os/builtin.js')>('os/builtin.js')
const sockets = await built<typeof import('../../../src/os/sockets.js')>('os/sockets.js')

const libc = koffi.functions({ again: 'int dup(int fd)' })

/** Another descriptor of the same file. */
export function again(fd: number): number {
  return koffi.checked('dup', libc().again(fd))
}

const fs = builtin.builtin('node:fs')
type Open = Parameters<typeof fs.openSync>

/** All doors. @param thread - null for those of the process's first thread */
export function doorsOf(
  process: SimulatedProcess,
  life: Life,
  thread: SimulatedThread | null,
): Doors {
  const files = Object.create(fs, {
    openSync: { value: (...given: Open) => process.give(fs.openSync(...given)) },
    closeSync: { value: (fd: number) => process.close(fd) },
  }) as object
  const stays = { on() {}, off() {}, emitWarning() {}, arch: 'x64', platform: 'linux', pid: 1 }
  return {
    memory: stepped(words, process, 1),
    'file-io': stepped(fileIo, process, 1),
    events: eventsDoor(process),
    sockets: socketsDoor(process),
    clock: clockDoor(process, life, thread),
    alarm: alarmDoor(process, life),
    mapping: mappingDoor(process),
    thread: { isMainThread: true, MessageChannel: channelOf(process), drain, receiveNow },
    worker: workerDoor(process, () => (thread?.library ?? process.library).makeDisk),
    uring: { Uring: NoRing, operations: {}, IOSQE_ASYNC: 0, IORING_FSYNC_DATASYNC: 1 },
    proc: { osThreadId: () => (thread?.id ?? 0) + 1, sampleThread: bearer(process) },
    koffi,
    builtin: { builtin: (name: 'node:fs') => (name === 'node:fs' ? files : builtin.builtin(name)) },
    process: stays,
  }
}

/** Overlays ask whether the thread that bears a lock is there. */
function bearer(process: SimulatedProcess): (id: number) => object | null {
  return (id) => {
    if (id === 1) return {}
    return process.threads.some((each) => each.id + 1 === id && !each.life.isOver) ? {} : null
  }
}

/** Each call of these is a step at which the thread, or the process, may end. */
function stepped(door: object, process: SimulatedProcess, cost: number): object {
  const calls = Object.entries(door).map(([name, value]: [string, unknown]) => {
    if (typeof value !== 'function') return [name, value]
    const call = value as (...given: unknown[]) => unknown
    return [
      name,
      (...given: unknown[]): unknown => {
        process.system.step(cost)
        return call(...given)
      },
    ]
  })
  return Object.fromEntries(calls) as object
}

/** There is no io_uring here. */
function NoRing(): void {
  throw systemError('ENOSYS')
}

function eventsDoor(process: SimulatedProcess): object {
  const eventOf = (fd: number): EventThing => {
    const thing = process.thing(fd)
    if (!(thing instanceof EventThing)) throw systemError('EINVAL')
    return thing
  }
  class PollSet {
    #fds: readonly number[] = []
    set(fds: readonly number[]): void {
      this.#fds = fds
    }
    wait(): number {
      return this.#fds.filter((fd) => process.thing(fd).isReadable).length
    }
    isReady(index: number): boolean {
      return process.thing(this.#fds[index] ?? -1).isReadable
    }
    isBroken(index: number): boolean {
      const thing = process.thing(this.#fds[index] ?? -1)
      return thing instanceof SocketThing && thing.isHungUp
    }
  }
  return {
    event: () => process.give(new EventThing()),
    signal: (fd: number) => {
      process.system.step(1)
      eventOf(fd).signal()
    },
    neverWait: () => {},
    clear: (fd: number) => {
      const event = eventOf(fd)
      const was = event.count > 0
      event.count = 0
      return was
    },
    close: (fd: number) => process.close(fd),
    watch: (fd: number, listener: () => void) => process.watch(fd, listener),
    PollSet,
    EventSet: eventSetOf(process),
  }
}

function eventSetOf(process: SimulatedProcess): unknown {
  return class EventSet {
    readonly fd: number
    #found: number[] = []
    constructor(fd?: number) {
      this.fd = fd ?? process.give(new SetThing())
    }
    get #set(): SetThing {
      return process.thing(this.fd) as SetThing
    }
    add(fd: number, how: 'level' | 'edge'): void {
      const thing = process.thing(fd)
      const entry: Registration = { thing, how, hasEdge: thing.isReadable }
      if (this.#set.entries.has(fd)) throw systemError('EEXIST')
      this.#set.entries.set(fd, entry)
      thing.edges.add(entry)
    }
    remove(fd: number): void {
      const entry = this.#set.entries.get(fd)
      if (entry === undefined) throw systemError('ENOENT')
      entry.thing.edges.delete(entry)
      this.#set.entries.delete(fd)
    }
    wait(timeoutMs: number): number {
      this.#found = this.#set.take()
      if (this.#found.length === 0 && timeoutMs > 1) throw wouldBlock
      return this.#found.length
    }
    ready(index: number): number {
      return this.#found[index] ?? -1
    }
    close(): void {
      process.close(this.fd)
    }
  }
}

function socketsDoor(process: SimulatedProcess): object {
  const socketOf = (fd: number): SocketThing => process.thing(fd) as SocketThing
  const { system } = process
  class Descriptors extends sockets.Descriptors {
    override close(): void {
      for (let index = 0; index < this.count; index++) {
        const fd = this.take(index)
        if (fd !== null) process.close(fd)
      }
    }
  }
  return {
    Descriptors,
    mostDescriptors: sockets.mostDescriptors,
    listen: (path: string) => {
      process.listener = new ListenerThing()
      const fd = process.give(process.listener)
      return { fd, path, close: () => process.close(fd) }
    },
    accept: (fd: number) => {
      const next = (process.thing(fd) as ListenerThing).waiting.shift()
      return next === undefined ? null : process.give(next)
    },
    send: (fd: number, bytes: Uint8Array, fds: readonly number[] = []) => {
      const socket = socketOf(fd)
      if (socket.isHungUp) throw systemError('EPIPE')
      socket.send(
        bytes,
        fds.map((each) => process.toSend(each, again)),
      )
      return bytes.length
    },
    receive: (fd: number, room: Uint8Array) => {
      // It comes in parts, as it likes.
      const most = system.chance(80) ? room.length : 1 + system.below(room.length)
      const parcel = socketOf(fd).receive(most)
      if (parcel === null) return null
      room.set(parcel.bytes)
      const fds = parcel.things.map((thing) => {
        const given = process.give(thing)
        if (typeof thing !== 'number') thing.references--
        return given
      })
      return { length: parcel.bytes.length, fds }
    },
  }
}

function clockDoor(process: SimulatedProcess, life: Life, thread: SimulatedThread | null): object {
  const { system } = process
  const after = (ms: number, run: () => void): { cancel(): void } => {
    const timer = system.after(ms, run, life)
    return { cancel: () => void (timer.isOff = true) }
  }
  const onNextTurn = (run: () => void): void => void process.turns.push(run)
  return {
    longestTimeoutMs: 2 ** 31 - 1,
    now: () => system.nowMs,
    runTime: () => system.nowMs,
    lostMs: () => 0,
    microseconds: () => Math.floor(system.nowMs * 1000) | 0,
    after,
    deadline: after,
    every: () => ({ cancel() {} }),
    keepAlive: () => ({ cancel() {} }),
    onNextTurn,
    nextTurn: () =>
      new Promise<void>((resolve) => {
        if (thread === null) onNextTurn(resolve)
        else thread.turn = resolve
      }),
  }
}

function alarmDoor(process: SimulatedProcess, life: Life): object {
  class Alarm {
    readonly #event = new EventThing()
    readonly fd: number = process.give(this.#event)
    #timer: { isOff: boolean } | null = null
    set(ms: number): void {
      if (this.#timer !== null) this.#timer.isOff = true
      this.#event.count = 0
      this.#timer = process.system.after(Math.max(0.001, ms), () => this.#event.signal(), life)
    }
    clear(): void {
      this.#event.count = 0
    }
    close(): void {
      if (this.#timer !== null) this.#timer.isOff = true
      process.close(this.fd)
    }
  }
  return { Alarm }
}

function mappingDoor(process: SimulatedProcess): object {
  return {
    ...mapping,
    map: (fd: number, length: number, offset = 0) => {
      const address = mapping.map(fd, length, offset)
      process.mapped(address, length)
      return address
    },
    unmap: (address: number, length: number) => {
      process.unmapped(address)
      mapping.unmap(address, length)
    },
    memoryFile: (name: string, length: number) => process.give(mapping.memoryFile(name, length)),
  }
}

/** One end of a channel. */
export class Port {
  other: Port | null = null
  readonly #process: SimulatedProcess
  readonly queue: unknown[] = []
  #listener: ((message: unknown) => void) | null = null

  constructor(process: SimulatedProcess) {
    this.#process = process
  }

  postMessage(message: unknown): void {
    this.#process.system.step(1)
    this.other?.queue.push(structuredClone(message))
  }

  on(_: 'message', listener: (message: unknown) => void): void {
    this.#listener = listener
    this.#process.ports.add(this)
  }

  unref(): void {}

  close(): void {
    this.#process.ports.delete(this)
  }

  get isDue(): boolean {
    return this.#listener !== null && this.queue.length > 0
  }

  deliver(): void {
    this.#listener?.(this.queue.shift())
  }
}

function channelOf(process: SimulatedProcess): unknown {
  return class MessageChannel {
    readonly port1 = new Port(process)
    readonly port2 = new Port(process)
    constructor() {
      this.port1.other = this.port2
      this.port2.other = this.port1
    }
  }
}

function drain(port: Port, hear: (message: unknown) => void): void {
  while (port.queue.length > 0) hear(port.queue.shift())
}

function receiveNow(port: Port): unknown {
  return port.queue.shift()
}

function workerDoor(process: SimulatedProcess, disk: () => unknown): object {
  const report = (error: unknown): object => ({ message: (error as Error).message })
  return {
    defaultLoadDeadlineMs: 10_000,
    loadTimeout: () => new Error('The module was not loaded in time'),
    loadModule: async () => ({ default: disk() }),
    reportOf: report,
    errorOf: ({ message }: { message: string }) => new Error(message),
    tellApart: (run: () => void) => run(),
    loop: (batch: unknown, { sleep }: { sleep: unknown }) => ({ batch, sleep }),
    UserWorker: {
      create: async (_: URL, options: ConstructorParameters<typeof SimulatedThread>[1]) => {
        if (process.refusedThreads > 0) {
          process.refusedThreads--
          throw systemError('EAGAIN')
        }
        return process.newThread(options)
      },
    },
  }
}
