/**
 * What the owner of a vhost worker and its thread say to each other.
 *
 * A command is posted to the thread's port, and then the item {@link commandItem} is queued, so that the
 * thread, which sleeps where no message reaches it, looks there. It runs between the works of vrings,
 * in the order of the list.
 *
 * @module
 */
import type { ErrorReport } from '../../worker/thread-side.js'
import type { MessagePort } from '../../os/thread.js'
import type { MappedRegion, VringChange, VringSetup } from '../backend.js'

/** The item of the list that stands for "there are commands". The owner adds it, and the sentinels. */
export const commandItem = 0

/** The items that stand for vrings lie between that and the sentinels. Their own thread adds them. */
export const vringItems = 2048

/** Items whose running is itself the answer: `flush` adds one behind all that was added before. */
export const firstSentinel: number = 1 + vringItems
export const sentinels = 64

/** How many items a worker's list has. */
export const listItems: number = firstSentinel + sentinels

/** What a thread is born with. */
export interface Birth {
  readonly list: Int32Array<SharedArrayBuffer>
  readonly port: MessagePort
  /**
   * The set of events that the thread sleeps in. Its owner has made it and closes it, since a thread that is
   * terminated closes nothing.
   */
  readonly events: number
  /** The event that the owner signals when the thread is to look. It is in the set. */
  readonly bell: number
  readonly name: string
}

/** What the owner wants. `device` is the owner's number for a device, the same in all workers. */
export type Command =
  /** Make the device of this module. */
  | { type: 'open'; device: number; module: string; data: unknown; name: string }
  | { type: 'close'; device: number }
  | { type: 'memory'; device: number; regions: readonly MappedRegion[] }
  /** Run a vring; its work is this item. */
  | { type: 'start'; device: number; vring: number; item: number; setup: VringSetup }
  | { type: 'change'; device: number; vring: number; change: VringChange }
  /** Answers the index of the next available entry that it would have taken. */
  | { type: 'stop'; device: number; vring: number }

export interface NumberedCommand {
  readonly id: number
  readonly command: Command
}

/** From the thread. */
export type Answer =
  | { type: 'done'; id: number; value: number }
  | { type: 'failed'; id: number; error: ErrorReport }
  /** A sentinel ran. */
  | { type: 'flushed'; item: number }
  /** A vring was broken by what the driver did, or the device threw; it stands until it is stopped. */
  | { type: 'broken'; device: number; vring: number; error: ErrorReport }
