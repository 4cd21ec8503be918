/**
 * The inside of a vhost worker's thread: its list of works, what it waits for, and the devices whose
 * vrings it runs. The loop around it is that of `loop` (VH-13, VH-23).
 *
 * How it sleeps: in `epoll_wait`, which a kick ends, the owner's bell, or a descriptor that a device
 * watches; or, while a device has requests under way, in the event loop, which waits for the same set:
 * what completes them may come there. A device may put a wait of its own in the place of `epoll_wait`, one
 * that waits for its system calls as well; then the event loop is for its promises alone.
 *
 * @module
 */
import { nextTurn } from '../../os/clock.js'
import { EventSet } from '../../os/events.js'
import { receiveNow } from '../../os/thread.js'
import { reportOf } from '../../worker/thread-side.js'
import type { Sleep } from '../device.js'
import {
  commandItem,
  firstSentinel,
  type Answer,
  type Birth,
  type Command,
  type NumberedCommand,
} from './commands.js'
import { add, begin, close, hasWork, take } from './work-list.js'

/**
 * The longest wait in a system call. Whoever asks something of the thread rings; this is for the cases
 * where nobody can, as when the thread that made it is terminated.
 */
const longestWaitMs = 1000

/** The work of a vring. */
export interface Work {
  /** Its turn. */
  work(): void
  /** Whether its device has requests that it may complete by what the event loop brings. */
  readonly isWaiting: boolean
}

/** Carries a command out; a promise where it takes the event loop. */
export type Obey = (command: Command) => number | Promise<number>

/** So many turns of the event loop come one after the other, */
const eagerTurns = 100
/** and from then on one after each look of this length: what a promise takes to be heard of, at most. */
const lazyLookMs = 1

export class Crew {
  readonly #birth: Birth
  readonly #events: EventSet
  readonly #listeners = new Map<number, () => void>()
  /** The works of vrings, by item. */
  readonly #works = new Map<number, Work>()
  /** Carries a command out. */
  readonly #obey: Obey
  #sleep: Sleep | null = null
  /** What is under way in the event loop. */
  #underWay = 0
  /** Whether a sleep in the event loop is to end. */
  #isRoused = false
  /** Whether the owner rang since the last look. */
  #rang = false
  /** Commands are carried out one after the other. */
  #isObeying = false

  constructor(birth: Birth, obey: Obey) {
    this.#birth = birth
    this.#obey = obey
    this.#events = new EventSet(birth.events)
    this.#listeners.set(birth.bell, () => {
      this.#rang = true
    })
  }

  /** The worker's name. */
  get name(): string {
    return this.#birth.name
  }

  /** One batch: all works that are there now, once. @returns whether there were any (VH-12) */
  batch(): boolean {
    const items = take(this.#birth.list)
    for (const item of items) this.#run(item)
    // A work that has more to do has added itself. Those of others come in between.
    if (hasWork(this.#birth.list)) this.#look(0)
    return items.length > 0
  }

  /** Sleeps until there may be something. */
  sleep(): void | Promise<void> {
    // Something was completed in the event loop since the batch: nobody rings for it.
    if (hasWork(this.#birth.list)) return
    if (!this.#isWaiting()) return this.#look(longestWaitMs)
    this.#look(0)
    // What the look has taken of the bell, no wait finds.
    if (!hasWork(this.#birth.list) && !this.#rang) return this.#turn()
  }

  /**
   * The end: what is left is run, and nothing is added any more (VH-27). Then what is under way ends.
   *
   * @param last - is begun in between: the devices' end
   */
  async close(last: () => Promise<void>): Promise<void> {
    for (const item of close(this.#birth.list)) this.#run(item)
    this.await(last())
    while (this.#isWaiting()) {
      // The ring of the kill is heard: a turn is over at once as long as it is not.
      this.#look(0)
      await this.#turn()
    }
  }

  /** Adds the work of a vring (VH-10). @returns false after the end: it does not run */
  add(item: number): boolean {
    const isAdded = add(this.#birth.list, item)
    this.#isRoused = true
    return isAdded
  }

  /** What running this item means. */
  set(item: number, work: Work): void {
    this.#works.set(item, work)
  }

  unset(item: number): void {
    this.#works.delete(item)
  }

  /** Calls `listener` when the descriptor is ready; see `EventSet.add`. */
  watch(fd: number, how: 'level' | 'edge', listener: () => void): { close(): void } {
    this.#events.add(fd, how)
    this.#listeners.set(fd, listener)
    return {
      close: () => {
        if (this.#listeners.get(fd) !== listener) return
        this.#listeners.delete(fd)
        this.#events.remove(fd)
      },
    }
  }

  /** From now on the thread waits by this. @throws Error: another device of this thread does so */
  sleepBy(sleep: Sleep): { close(): void } {
    if (this.#sleep !== null) {
      throw new Error('Another device of this worker has a wait of its own: give each a worker')
    }
    this.#sleep = sleep
    return {
      close: () => {
        this.#sleep = null
      },
    }
  }

  /**
   * Something goes on in the event loop until the promise is settled. What is to be done then is part of
   * it: the loop, which blocks as soon as nothing is under way, gives nobody a turn.
   */
  await(promise: Promise<void>): void {
    this.#underWay++
    void promise.finally(() => {
      this.#underWay--
      this.#isRoused = true
    })
  }

  /** A vring was broken. */
  broken(device: number, vring: number, error: unknown): void {
    this.#tell({ type: 'broken', device, vring, error: reportOf(error) })
  }

  #isWaiting(): boolean {
    if (this.#underWay > 0) return true
    for (const work of this.#works.values()) if (work.isWaiting) return true
    return false
  }

  #tell(answer: Answer): void {
    this.#birth.port.postMessage(answer)
  }

  #run(item: number): void {
    begin(this.#birth.list, item)
    if (item === commandItem) this.#obeyAll()
    else if (item >= firstSentinel) this.#tell({ type: 'flushed', item })
    else this.#works.get(item)?.work()
  }

  #obeyAll(): void {
    if (this.#isObeying) return
    for (;;) {
      const next = receiveNow(this.#birth.port) as NumberedCommand | undefined
      if (next === undefined) return
      const done = this.#carryOut(next)
      if (done === null) continue
      this.#isObeying = true
      const goOn = (): void => {
        this.#isObeying = false
        // Those that came meanwhile.
        this.#obeyAll()
      }
      this.await(done.then(goOn))
      return
    }
  }

  /** @returns null when it is done */
  #carryOut({ id, command }: NumberedCommand): Promise<void> | null {
    const tellValue = (value: number): void => this.#tell({ type: 'done', id, value })
    const tellError = (error: unknown): void =>
      this.#tell({ type: 'failed', id, error: reportOf(error) })
    try {
      const value = this.#obey(command)
      if (typeof value !== 'number') return value.then(tellValue, tellError)
      tellValue(value)
    } catch (error) {
      tellError(error)
    }
    return null
  }

  /** Waits in a system call, and hears what came. */
  #look(timeoutMs: number): void {
    this.#rang = false
    const { fd } = this.#events
    const hasWaited = this.#sleep?.(fd, timeoutMs) ?? false
    this.#hear(this.#events.wait(hasWaited ? 0 : timeoutMs))
  }

  #hear(count: number): void {
    for (let index = 0; index < count; index++) {
      // One listener may have closed another.
      this.#listeners.get(this.#events.ready(index))?.()
    }
  }

  /**
   * Waits for what goes on in the event loop, and for the descriptors, by turns: the event loop cannot
   * watch them in a thread that may be terminated (see `watch` of os/events.ts).
   */
  async #turn(): Promise<void> {
    this.#isRoused = false
    for (let turns = 0; !this.#isUp(); turns++) {
      await nextTurn()
      if (!this.#isUp()) this.#look(turns < eagerTurns ? 0 : lazyLookMs)
    }
  }

  #isUp(): boolean {
    return this.#isRoused || this.#rang || hasWork(this.#birth.list)
  }
}
