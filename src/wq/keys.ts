/**
 * Keys: works with the same key run one after the other, in the order of their submission; works
 * with other keys, or none, are not held up by them (INV-IOWQ-5, -6, -7). Keys are exact values
 * (C-4).
 *
 * The works of a key stand in a line. Its front is in the rings: one work that is ready or runs, and
 * a chain of slots behind it, which workers go along by themselves (WQ-33). The rest is held here,
 * and follows as soon as it can be hung on: when there is room, and when the work before it is of
 * the same class, else when that has ended. Works behind a busy key are not runnable; so no worker
 * is made for them (WQ-24).
 *
 * @module
 */
import { KeyLine, Link, type QueuedWork } from './work.js'

/** The lines of a queue, or of several queues of a thread. */
export class KeyLines {
  readonly #lines = new Map<unknown, KeyLine>()

  /** Puts a work with a key at the end of its line. */
  enter(work: QueuedWork): void {
    let line = this.#lines.get(work.key)
    if (line === undefined) {
      line = new KeyLine(work.key)
      this.#lines.set(work.key, line)
    }
    work.link = new Link(line)
    if (line.held.size === 0 && follow(line, work)) return
    work.lane.keep(work)
    line.held.push(work)
    work.lane.held++
  }

  /** Takes a work out that is held. False: it is not. */
  withdraw(work: QueuedWork): boolean {
    const { link } = work
    if (link === null || work.list !== link.line.held) return false
    const { line } = link
    line.held.remove(work)
    work.lane.held--
    this.#close(line)
    return true
  }

  /** A work has left the rings, or the way there. */
  leave(work: QueuedWork): void {
    const { link } = work
    if (link === null) return
    stepOut(work, link)
    this.pull(link.line)
  }

  /**
   * Works have left the rings together. All of them step out before anybody comes up, for a slot
   * that a worker is on its way to is not free yet, and who followed it there would wait for ever.
   */
  leaveAll(works: readonly QueuedWork[]): void {
    for (const work of works) if (work.link !== null) stepOut(work, work.link)
    for (const work of works) if (work.link !== null) this.pull(work.link.line)
  }

  /** Lets follow whoever can: something has changed for this line. */
  pull(line: KeyLine): void {
    for (let work = line.held.first; work !== null; work = line.held.first) {
      // Out of the list first: on its way it may be put into another.
      line.held.remove(work)
      if (!follow(line, work)) {
        line.held.pushFront(work)
        break
      }
      work.lane.held--
    }
    this.#close(line)
  }

  /** All works that are held. */
  *waiting(): Iterable<QueuedWork> {
    for (const { held } of this.#lines.values()) yield* held
  }

  #close(line: KeyLine): void {
    if (line.last === null && line.held.size === 0 && this.#lines.get(line.key) === line) {
      this.#lines.delete(line.key)
    }
  }
}

/** Gives the lines behind a key space. */
export let linesOf: (space: KeySpace) => KeyLines

/**
 * Keys that several queues of a thread have in common: works with the same key run one after the
 * other, in the order of their submission, whichever of these queues they were submitted to (WQ-37).
 *
 * @example
 * ```ts
 * const keySpace = new KeySpace()
 * const readers = new WorkQueue(readerModule, { keySpace })
 * const writers = new WorkQueue(writerModule, { keySpace })
 * ```
 */
export class KeySpace {
  readonly #lines = new KeyLines()

  static {
    linesOf = (space) => space.#lines
  }
}

/** The one before it is the last of its line now, if it was that. */
function stepOut(work: QueuedWork, link: Link): void {
  if (link.line.last === work) link.line.last = link.before
  link.before = null
}

/** Sends a work to the rings behind the last of its line. False: not yet. */
function follow(line: KeyLine, work: QueuedWork): boolean {
  const { last } = line
  const { lane } = work
  if (last === null) {
    line.last = work
    lane.admit(work)
    return true
  }
  if (last.lane !== lane || last.slot < 0 || !lane.hang(work, last)) return false
  line.last = work
  return true
}

/** Whether two keys are the same, as a `Map` has it. */
export function isKey(one: unknown, other: unknown): boolean {
  return Object.is(one, other) || (one === 0 && other === 0)
}
