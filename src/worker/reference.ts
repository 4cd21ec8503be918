/**
 * References: how a thread that did not make a worker can ask it to stop, wait for its end, and
 * wake it. As a kthread's `task_struct` can be handed to another kthread, `worker.reference()` gives
 * a port that can be sent to another thread, where `new WorkerReference(port)` makes it a handle.
 *
 * The worker's owner does what is asked, in its event loop. When the owner ends, its workers end
 * with it, and so do the waits: by the port's 'close'.
 *
 * @module
 */
import { invalid } from '../errors.js'
import { MessageChannel, receiveNow, type MessagePort } from '../os/thread.js'
import { EndWaits } from './end-waits.js'
import { KILLED } from './exit.js'
import { table, tableId } from './table.js'

/** From a reference to the worker's owner. */
type ToOwner = { readonly type: 'stop' | 'wake' }

/** From the owner to a reference. The first message introduces the worker. */
type ToReference =
  | {
      readonly type: 'worker'
      readonly id: number
      readonly name: string
      /** The table that `id` is a number in. */
      readonly table: number
    }
  | { readonly type: 'exited'; readonly code: number }

/** What a reference does with its worker. */
interface Referred {
  readonly id: number
  readonly name: string
  requestStop(): void
  wake(): void
}

/** How the owner's side hears of the worker's end. */
interface Exits {
  onExit(listener: (code: number) => void): void
  unwatch(listener: (code: number) => void): void
}

/** The owner's side: a port for another thread. */
export function offerReference(worker: Referred, exits: Exits): MessagePort {
  const { port1, port2 } = new MessageChannel()
  const tell = (message: ToReference): void => port1.postMessage(message)
  tell({ type: 'worker', id: worker.id, name: worker.name, table: tableId(table()) })
  // Whoever holds the other port can post anything through it.
  port1.on('message', (message: Partial<ToOwner> | null | undefined) => {
    if (message?.type === 'stop') worker.requestStop()
    else if (message?.type === 'wake') worker.wake()
  })
  port1.unref()
  const exited = (code: number): void => {
    tell({ type: 'exited', code })
    port1.close()
  }
  // The thread that has the reference may end, or close it, long before the worker does.
  port1.once('close', () => exits.unwatch(exited))
  exits.onExit(exited)
  return port2
}

/** A worker that another thread made, by a port from {@link UserWorker.reference}. */
export class WorkerReference {
  /** The worker's name. */
  readonly name: string
  /** The worker's number. */
  readonly id: number
  readonly #port: MessagePort
  readonly #ends: EndWaits
  #code: number | null = null

  /**
   * @param port - from `worker.reference()`, transferred to this thread, and not used before
   * @throws TypeError EINVAL: it is something else
   */
  constructor(port: MessagePort) {
    const first = introduction(port)
    this.name = first.name
    this.id = first.id
    this.#port = port
    const words = table()
    // Numbers of another table say nothing in ours: who waits for whom is not seen across them.
    this.#ends = new EndWaits(words, first.table === tableId(words) ? this.id : null)
    port.on('message', (message: ToReference) => {
      if (message.type === 'exited') this.#exited(message.code)
    })
    // The owner has ended, and its workers with it.
    port.once('close', () => this.#exited(KILLED))
    port.unref()
  }

  /** The exit code, once it is known here; else null. */
  get exitCode(): number | null {
    return this.#code
  }

  /** {@link UserWorker.requestStop}: asks, and returns at once. */
  requestStop(): void {
    this.#ask({ type: 'stop' })
  }

  /** {@link UserWorker.wake}. */
  wake(): void {
    this.#ask({ type: 'wake' })
  }

  /**
   * {@link UserWorker.join}.
   *
   * @returns the exit code; -9 also when the worker's owner ended and took it along
   * @throws UserWorkerError EDEADLK: the worker is oneself, or waits for one's own end (KT-18)
   */
  async join(): Promise<number> {
    return this.#code ?? (await this.#ends.wait(`end of '${this.name}'`))
  }

  /**
   * {@link requestStop} and {@link join}.
   *
   * @throws UserWorkerError EDEADLK: as `join`; then the stop is not even requested
   */
  async stop(): Promise<number> {
    if (this.#code !== null) return this.#code
    const ended = this.#ends.wait(`end of '${this.name}'`)
    this.requestStop()
    return await ended
  }

  #ask(message: ToOwner): void {
    if (this.#code === null) this.#port.postMessage(message)
  }

  #exited(code: number): void {
    if (this.#code !== null) return
    this.#code = code
    this.#ends.settle(code)
  }
}

function introduction(port: unknown): Extract<ToReference, { type: 'worker' }> {
  const first = receiveNow(port) as ToReference | undefined
  if (first?.type === 'worker') return first
  throw invalid(
    'new WorkerReference: the port must be one that worker.reference() gave, and not used before',
  )
}
