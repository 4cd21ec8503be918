/**
 * What comes of works that workers have claimed: reads their results, and settles those whose thread
 * has ended.
 *
 * A result lies in the slot, in a block, or in a message. Messages come in the order of their works'
 * ends, so the next one is that of the work whose slot says MESSAGE next.
 *
 * @module
 */
import * as memory from '#memory'
import { UserWorkerError } from '../errors.js'
import {
  Form,
  formatOf,
  formOf,
  read,
  readPlace,
  readSmallOne,
  Slot,
  slotOf,
} from '../ring/index.js'
import { notReadable } from './announced.js'
import { Histogram } from './histogram.js'
import type { Lane } from './lane.js'
import type { Server } from './server.js'
import type { SharedBuffers } from './numbered-buffers.js'
import type { QueuedWork } from './work.js'

/** What a work's end means for its queue. */
export interface EndEvents {
  /** The work was settled just now. */
  settled(work: QueuedWork): void
  /** The work has left the rings. */
  left(work: QueuedWork): void
}

export class Ends {
  /** How long works waited, and ran. */
  readonly waits = new Histogram()
  readonly runs = new Histogram()
  /** How many works have ended. */
  count = 0
  readonly #shared: SharedBuffers
  readonly #events: EndEvents
  /** Works that have lost a thread before they began, and those whose arguments were moved to one. */
  readonly #spent = new WeakSet<QueuedWork>()

  constructor(shared: SharedBuffers, events: EndEvents) {
    this.#shared = shared
    this.#events = events
  }

  /** The work has ended, and its result is there. */
  done(server: Server, work: QueuedWork): void {
    const { lane } = server
    const { slot } = work
    const format = formatOf(lane.memory, slot)
    this.count++
    this.#record(lane, work)
    if (formOf(format) === Form.SMALL) {
      const value = readSmallOne(lane.memory, slot, format)
      this.#release(server, work)
      if (work.resolve(value)) this.#events.settled(work)
      return
    }
    const result = formOf(format) === Form.PACKED ? this.#unpack(server, slot) : server.takeResult()
    this.#release(server, work)
    const settled =
      'value' in result
        ? work.resolve(result.value)
        : work.reject(
            'error' in result
              ? result.error
              : notReadable(`The result of '${work.name}'`, result.unreadable),
          )
    if (settled) this.#events.settled(work)
  }

  /**
   * The work's thread has ended before the work.
   *
   * @returns false: the work had not begun, and goes to another worker
   */
  died(server: Server, work: QueuedWork, error: Error | null): boolean {
    if (this.#mayRunYet(server, work)) {
      this.#spent.add(work)
      server.lane.giveBack(work)
      return false
    }
    const { killed, culprit } = server
    this.#release(server, work)
    const told = work.extras?.told ?? null
    const meant = culprit === null || culprit === work ? killed : told
    const settled =
      killed === null
        ? work.reject(error ?? server.ended())
        : meant !== null
          ? work.cancelWith(meant)
          : work.reject(server.ended(killed))
    if (settled) this.#events.settled(work)
    return true
  }

  /** The server has claimed the work, and waits for arguments that go by message. */
  sendArguments(server: Server, work: QueuedWork): void {
    const { captured, id } = work
    const message = captured?.message ?? null
    if (captured === null || message === null || work.settled) {
      server.tell({ type: 'no-args', id })
      return
    }
    // What was moved cannot be sent twice.
    if (message.transfer.length > 0) {
      captured.message = null
      this.#spent.add(work)
    }
    try {
      server.tell({ type: 'args', id, args: message.args }, message.transfer)
    } catch (cause) {
      if (work.reject(notCloneable(work, cause))) this.#events.settled(work)
      server.tell({ type: 'no-args', id })
    }
  }

  /**
   * Whether a work whose thread has ended is wanted and whole: its handler was not called, its
   * arguments are still here, and it is the first thread that it sees die. Reading its arguments might
   * be what the thread died of. A thread that was ended for no work's sake takes along all it has.
   */
  #mayRunYet({ lane, killed, culprit }: Server, work: QueuedWork): boolean {
    if (killed !== null && culprit === null) return false
    if (work.settled || (work.extras?.told ?? null) !== null || this.#spent.has(work)) return false
    return memory.load(lane.memory.words, slotOf(work.slot) + Slot.BEGAN) === 0
  }

  #release(server: Server, work: QueuedWork): void {
    server.lane.release(work, server.seat)
    this.#events.left(work)
  }

  #record(lane: Lane, { slot, queuedAt }: QueuedWork): void {
    const { words } = lane.memory
    const at = slotOf(slot)
    const began = words[at + Slot.BEGAN] as number
    if (began === 0) return
    // Differences of clocks that count microseconds modulo 2^32: 71 minutes.
    this.waits.record(((began - queuedAt) >>> 0) / 1000)
    this.runs.record((((words[at + Slot.ENDED] as number) - began) >>> 0) / 1000)
  }

  #unpack(server: Server, slot: number): { value: unknown } | { unreadable: unknown } {
    const { chunk, at, length } = readPlace(server.lane.memory, slot)
    try {
      return { value: read(server.chunkOf(chunk), at, length, this.#shared)[0] }
    } catch (cause) {
      return { unreadable: cause }
    }
  }
}

/** The error for a value that cannot be cloned. */
export function notCloneable(work: { readonly name: string }, cause: unknown): UserWorkerError {
  const why = cause instanceof Error ? cause.message : String(cause)
  const text = `An argument of '${work.name}' cannot be sent to a worker: ${why}`
  return new UserWorkerError('ERR_NOT_CLONEABLE', text, { cause })
}
