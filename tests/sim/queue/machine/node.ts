/**
 * What a simulated thread has of Node: everything that is not of the language, and reaches out of the
 * thread.
 *
 * @module
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { callOf } from './loop.js'
import type { Machine } from './machine.js'
import { open, pack, Port } from './port.js'
import { ended, type Thread } from './thread.js'

/** How threads are made: the machine's owner knows what runs in them. */
export interface Maker {
  /** @returns null, or why it cannot be made: thrown at once, or heard of later */
  refusal(): { readonly code: string; readonly message: string; readonly later: boolean } | null
  make(name: string, maker: Thread, environmentData: Map<unknown, unknown>): Thread
  /** Its first call: it begins with this. */
  begin(thread: Thread, workerData: unknown): void
}

const nodes = createRequire(import.meta.url)

/** Modules of Node that reach nowhere. */
const harmless =
  /^node:(assert|async_hooks|diagnostics_channel|events|module|path|stream|url|util|vm)$/

const noFile = (): never => {
  throw Object.assign(new Error('ENOENT: no such file or directory'), { code: 'ENOENT' })
}

const fileSystem = {
  access: () => {},
  existsSync: () => false,
  readFileSync: noFile,
  readdirSync: noFile,
  readlinkSync: noFile,
  statSync: noFile,
  writeFileSync: noFile,
}

/** `require`, as the thread has it. */
export function requireOf(machine: Machine, thread: Thread, data: unknown, maker: Maker): object {
  const modules: Record<string, unknown> = {
    'node:worker_threads': workerThreadsOf(machine, thread, data, maker),
    'node:timers': timersOf(machine, thread),
    'node:crypto': { randomInt: machine.below },
    'node:fs': fileSystem,
    'node:os': { availableParallelism: () => machine.nature.cpus, constants: { signals: {} } },
    'node:child_process': {},
    'node:net': {},
  }
  const asyncHooks = asyncHooksOf(thread)
  return (name: string): unknown => {
    if (name === 'node:async_hooks') return asyncHooks
    if (harmless.test(name)) return nodes(name)
    if (name in modules) return modules[name]
    throw new Error(`Cannot find module '${name}'`)
  }
}

/** Stores that are not given back make each promise of the process slower. */
function asyncHooksOf(thread: Thread): object {
  class Store extends AsyncLocalStorage<unknown> {
    constructor() {
      super()
      thread.stores.push(this)
    }
  }
  return { AsyncLocalStorage: Store, AsyncResource }
}

function timersOf(machine: Machine, thread: Thread): object {
  const { loop } = thread
  const timerOf = (id: number): object => ({ id, ref: () => {}, unref: () => {} })
  const clear = (timer?: { id: number }): void => {
    if (timer !== undefined) loop.clearTimer(timer.id)
  }
  const checked = <Result>(result: () => Result): Result => {
    thread.check()
    return result()
  }
  return {
    setTimeout: (run: () => void, ms: number) =>
      checked(() => timerOf(loop.setTimer(run, ms, machine.now))),
    setInterval: (run: () => void, ms: number) =>
      checked(() => timerOf(loop.setTimer(run, ms, machine.now, ms))),
    setImmediate: (run: () => void) => checked(() => timerOf(loop.setImmediate(run))),
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: (timer?: { id: number }) => {
      if (timer !== undefined) loop.clearImmediate(timer.id)
    },
  }
}

/** `process`, as the thread has it. */
export function processOf(machine: Machine, thread: Thread, require: unknown): object {
  const events = thread.process
  const reallyExit = (code: number): never => {
    thread.check()
    thread.hasLeft = true
    thread.die(code)
    throw ended
  }
  const hrtime = (): [number, number] => {
    machine.step(thread)
    const seconds = Math.floor(machine.now / 1e3)
    return [seconds, Math.floor((machine.now - seconds * 1e3) * 1e6)]
  }
  const own = {
    argv: ['node', 'simulated'],
    env: {},
    execArgv: [],
    features: { typescript: 'strip' },
    pid: 1,
    platform: 'simulated',
    versions: { node: '20.20.0' },
    hrtime,
    getBuiltinModule: require,
    cwd: () => '/',
    memoryUsage: () => ({ heapUsed: machine.below(2 ** 27), external: 0 }),
    emitWarning: () => {},
    reallyExit,
    exit: (code = 0): never => {
      thread.check()
      events.emit('exit', code)
      events.removeAllListeners('exit')
      return own.reallyExit(code)
    },
    on: (name: string, listener: () => void) => void events.on(name, listener),
    off: (name: string, listener: () => void) => void events.off(name, listener),
    once: (name: string, listener: () => void) => void events.once(name, listener),
    listenerCount: (name: string) => events.listenerCount(name),
    hasUncaughtExceptionCaptureCallback: () => false,
  }
  return own
}

interface WorkerOptions {
  readonly name: string
  readonly workerData: unknown
  readonly transferList: readonly unknown[]
}

function workerThreadsOf(machine: Machine, thread: Thread, data: unknown, maker: Maker): object {
  const { environmentData } = thread
  function Channel(): { port1: Port; port2: Port } {
    thread.check()
    return Port.pair(thread)
  }
  return {
    getEnvironmentData: (key: unknown) => environmentData.get(key),
    setEnvironmentData: (key: unknown, value: unknown) => void environmentData.set(key, value),
    isMainThread: thread.maker === null,
    MessageChannel: Channel,
    MessagePort: Port,
    receiveMessageOnPort: (port: Port) => port.receive(),
    SHARE_ENV: Symbol.for('nodejs.worker_threads.SHARE_ENV'),
    threadId: thread.id,
    Worker: workerOf(machine, thread, maker),
    workerData: data,
  }
}

/** The class `Worker`, as the thread has it. */
function workerOf(machine: Machine, thread: Thread, maker: Maker): unknown {
  const { loop } = thread
  const errorOf = (code: string, message: string): Error => {
    const TheError = thread.intrinsics.Error as ErrorConstructor
    return Object.assign(new TheError(message), { code })
  }
  const soon = (ms: number): number => machine.now + machine.below(1000 * ms) / 1000
  return class Worker extends EventEmitter {
    readonly stdout = null
    readonly stderr = null
    readonly threadId: number
    readonly #thread: Thread | null

    constructor(_url: URL, { name, workerData, transferList }: WorkerOptions) {
      super()
      thread.check()
      const refusal = maker.refusal()
      if (refusal !== null && !refusal.later) throw errorOf(refusal.code, refusal.message)
      const packet = pack(workerData, transferList, thread)
      if (refusal !== null) {
        this.#thread = null
        this.threadId = -1
        this.#end(1, errorOf(refusal.code, refusal.message))
        return
      }
      const made = maker.make(name, thread, new Map(thread.environmentData))
      this.#thread = made
      this.threadId = made.id
      made.onGone = () => this.#end(made.exitCode, copyOf(made.error, thread))
      const begin = (): void => maker.begin(made, open(packet, made))
      made.loop.arrive(machine.now + 1 + machine.below(40), callOf(begin))
      made.state = 'running'
      thread.process.emit('worker', this)
    }

    ref(): void {}
    unref(): void {}

    terminate(): void {
      thread.check()
      if (this.#thread === null) return
      this.#thread.terminatedAt = Math.min(this.#thread.terminatedAt, soon(3))
    }

    /** The maker hears of the end, when it gets to it. */
    #end(code: number, error: unknown): void {
      const tell = (): void => {
        if (this.#thread !== null) machine.witness.heard(this.#thread)
        if (error !== null) this.emit('error', error)
        this.emit('exit', code)
      }
      loop.arrive(soon(2), callOf(tell))
    }
  }
}

/** An error of another thread, as this one hears of it. */
function copyOf(error: unknown, thread: Thread): unknown {
  return error === null ? null : open(pack(error, [], thread), thread)
}
