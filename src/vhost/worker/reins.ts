/**
 * A vhost worker, as its owner drives it: the list of works, the commands, the bell.
 *
 * | promise     | settled by                                                         |
 * | ----------- | ------------------------------------------------------------------ |
 * | of a command | its answer; the thread's end                                      |
 * | of a flush  | its sentinel's answer; the thread's end: then nothing runs any more |
 *
 * @module
 */
import { UserWorkerError } from '../../errors.js'
import { close, event, EventSet, signal } from '../../os/events.js'
import { Pending } from '../../os/pending.js'
import { drain, MessageChannel, type MessagePort } from '../../os/thread.js'
import { errorOf, UserWorker, type UserWorkerOptions } from '../../worker/index.js'
import {
  commandItem,
  firstSentinel,
  listItems,
  sentinels,
  vringItems,
  type Answer,
  type Birth,
  type Command,
  type NumberedCommand,
} from './commands.js'
import { add, makeList } from './work-list.js'

/** Who hears of a device's vrings in this worker. */
export interface Rider {
  /** A vring was broken. */
  broken(vring: number, error: Error): void
  /** The thread has ended. */
  ended(error: Error): void
}

/** The workers of this thread that live. */
const living = new Set<Reins>()

/** A thread in a system call hears nothing: it would hold up the end of the process (measured). */
const stopAll = (): void => {
  for (const each of living) each.thread.requestStop()
}

export class Reins {
  readonly thread: UserWorker
  readonly #list: Birth['list']
  readonly #port: MessagePort
  readonly #commands = new Map<number, Pending<number>>()
  readonly #flushes = new Map<number, Pending<void>>()
  /** Who waits for a sentinel. */
  readonly #queue: (() => void)[] = []
  readonly #riders = new Map<number, Rider>()
  readonly #items = new Set<number>()
  #lastCommand = 0
  /** Why it has ended; null while it lives. */
  #end: Error | null = null

  private constructor(thread: UserWorker, list: Birth['list'], port: MessagePort) {
    this.thread = thread
    this.#list = list
    this.#port = port
    port.on('message', (answer: Answer) => this.#hear(answer))
    port.unref()
  }

  /** @throws what `UserWorker.create` throws, with nothing left */
  static async create(module: URL, name: string, options: UserWorkerOptions): Promise<Reins> {
    const events = new EventSet()
    const bell = event()
    events.add(bell, 'edge')
    let isOpen = true
    const closeAll = (): void => {
      isOpen = false
      events.close()
      close(bell)
    }
    // After the end the number may be another descriptor's.
    const ring = (): void => {
      if (isOpen) signal(bell)
    }
    const { port1, port2 } = new MessageChannel()
    const list = makeList(listItems)
    const data: Birth = { list, port: port2, events: events.fd, bell, name }
    const given = { ...options, name, data, transfer: [port2], bell: ring }
    let thread: UserWorker
    try {
      thread = await UserWorker.create<Birth>(module, given)
    } catch (error) {
      port1.close()
      closeAll()
      throw error
    }
    const reins = new Reins(thread, list, port1)
    if (living.size === 0) process.on('exit', stopAll)
    living.add(reins)
    thread.onExit((code, error) => {
      closeAll()
      reins.#ended(error, code)
    })
    await thread.start()
    return reins
  }

  /** Adds a work (VH-10). @returns false when it will not run: the worker was killed, or has ended */
  add(item: number): boolean {
    if (this.#end !== null || !add(this.#list, item)) return false
    this.thread.wake()
    return true
  }

  /** Has a command carried out. @throws what the thread throws; the error of its end */
  command(command: Command): Promise<number> {
    if (this.#end !== null) return Promise.reject(this.#end)
    const id = ++this.#lastCommand
    const done = new Pending<number>(`${command.type} in '${this.thread.name}'`)
    this.#commands.set(id, done)
    const numbered: NumberedCommand = { id, command }
    try {
      this.#port.postMessage(numbered)
      if (!this.add(commandItem)) throw this.#takesNone()
    } catch (error) {
      this.#answered(id)?.reject(error as Error)
    }
    return done.promise
  }

  /** Resolves when all works that were added before this have run (VH-15, INV-VH-4). */
  async flush(): Promise<void> {
    while (this.#end === null) {
      const item = this.#freeSentinel()
      if (item === null) {
        // Waker: `#flushed`, of each sentinel that is free again, and the thread's end.
        await new Promise<void>((resolve) => this.#queue.push(resolve))
        continue
      }
      const flushed = new Pending<void>(`flush of '${this.thread.name}'`)
      this.#flushes.set(item, flushed)
      if (!this.add(item)) this.#flushed(item)
      return await flushed.promise
    }
  }

  /** Somebody's vrings are here from now on. @param number - theirs in this worker */
  enter(number: number, rider: Rider): void {
    this.#riders.set(number, rider)
  }

  leave(number: number): void {
    this.#riders.delete(number)
  }

  /** How many devices have vrings here, or may. */
  get riders(): number {
    return this.#riders.size
  }

  /** An item for a vring. */
  takeItem(): number {
    for (let item = commandItem + 1; item <= vringItems; item++) {
      if (this.#items.has(item)) continue
      this.#items.add(item)
      return item
    }
    throw new UserWorkerError('ENOBUFS', `Worker '${this.thread.name}' has ${vringItems} vrings`)
  }

  giveItem(item: number): void {
    this.#items.delete(item)
  }

  #freeSentinel(): number | null {
    for (let item = firstSentinel; item < firstSentinel + sentinels; item++) {
      if (!this.#flushes.has(item)) return item
    }
    return null
  }

  #takesNone(): UserWorkerError {
    const text = `Vhost worker '${this.thread.name}' was killed and takes no works any more`
    return new UserWorkerError('ENOSYS', text)
  }

  #flushed(item: number): void {
    this.#flushes.get(item)?.resolve()
    this.#flushes.delete(item)
    this.#queue.shift()?.()
  }

  #hear(answer: Answer): void {
    switch (answer.type) {
      case 'done':
        this.#answered(answer.id)?.resolve(answer.value)
        break
      case 'failed':
        this.#answered(answer.id)?.reject(errorOf(answer.error))
        break
      case 'flushed':
        this.#flushed(answer.item)
        break
      case 'broken':
        this.#riders.get(answer.device)?.broken(answer.vring, errorOf(answer.error))
        break
    }
  }

  #answered(id: number): Pending<number> | undefined {
    const command = this.#commands.get(id)
    this.#commands.delete(id)
    return command
  }

  #ended(error: Error | null, code: number): void {
    living.delete(this)
    if (living.size === 0) process.off('exit', stopAll)
    const { name } = this.thread
    const why = error === null ? `exit code ${code}` : error.message
    const text = `Vhost worker '${name}' has ended: ${why}`
    this.#end = new UserWorkerError('ERR_WORKER_DIED', text, {
      exitCode: code,
      ...(error === null ? {} : { cause: error }),
    })
    // Its last words.
    drain(this.#port, (answer) => this.#hear(answer as Answer))
    this.#port.close()
    for (const command of this.#commands.values()) command.reject(this.#end)
    for (const flush of this.#flushes.values()) flush.resolve()
    for (const waiter of this.#queue) waiter()
    this.#commands.clear()
    this.#flushes.clear()
    for (const rider of this.#riders.values()) rider.ended(this.#end)
  }
}
