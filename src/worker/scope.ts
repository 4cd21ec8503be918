/**
 * What belongs to one owner: a row of the table, and, in the thread that has the owner, those who
 * must be told what happens to it. `owner.ts` is what users see of it; a queue has a scope of its own
 * below that of its owner.
 *
 * | state   | holds                                                    | left by              |
 * | ------- | -------------------------------------------------------- | -------------------- |
 * | open    | workers, queues and owners may be made below it          | `stop`, `kill`       |
 * | stopped | all below were told to stop; its queues finish           | all are gone: ended  |
 * | killed  | all below were told to die; nothing is made any more     | all are gone: ended  |
 *
 * A freeze is beside these: fatal beats stop beats freeze. A scope has a row from the first need on;
 * it is given back when the scope has ended, or nobody has it any more.
 *
 * @module
 */
import type { Words } from '#memory'
import { UserWorkerError } from '../errors.js'
import { ask, isFrozen, isKilled, ring } from './control.js'
import {
  freezeBelow,
  stood,
  thawBelow,
  workersOf,
  type FreezeOptions,
  type FreezeReport,
} from './freeze.js'
import {
  claimLimited,
  claimWithin,
  fullAbove,
  fullOwnerOf,
  heapLimitOf,
  limitsOf,
  roomBelow,
  setLimits,
  type OwnerLimits,
} from './limits.js'
import { laggardOf, ownedWorker, type OwnedWorker } from './seen.js'
import { below, ownerNumber, ownRow, rehome, releaseTree, table } from './table.js'

/** Who is told what happens to an owner: a worker's life, a queue, the scope of an owner below. */
export interface Member {
  /** What is asked of an owner above concerns it: its threads are to look. */
  look(): void
  /** An owner above was killed. */
  killed(error: UserWorkerError): void
  /** Whether it ends the other members itself: a queue does that to its workers. */
  readonly endsOthers: boolean
  /** An owner above ends: resolves when this one has. */
  finish(): Promise<unknown>
  /** There may be room for a worker; the owner is frozen, or not any more. */
  changed(): void
  /**
   * Gives up a worker for another's need: one that does nothing; or, for somebody who has none at all,
   * one of several.
   *
   * @returns whether it had one
   */
  yieldWorker(forOneWithNone: boolean): boolean
  /** The name of the worker in this row, if it is one of its own. */
  nameOf(row: number): string | undefined
}

/** Rows of scopes that nobody has any more. */
const forgotten = new FinalizationRegistry<{ words: Words; row: number; number: number }>(
  ({ words, row, number }) => {
    // It may have gone with the owner above it, and be another's by now.
    if (ownerNumber(words, row) !== number) return
    if (below(words, row).length === 0) releaseTree(words, row)
  },
)

let ofThread: Scope | null = null

export class Scope implements Member {
  readonly endsOthers = false
  readonly words: Words = table()
  readonly #members = new Set<Member>()
  #row: number | null = null
  /** That of the row: see `ownerNumber`. */
  #number = 0
  #limits: OwnerLimits
  #killed: UserWorkerError | null = null
  #hasEnded = false
  #ending: Promise<void> | null = null

  constructor(
    readonly name: string,
    /** Null for that of the thread itself. */
    readonly parent: Scope | null,
    limits: OwnerLimits = {},
  ) {
    this.#limits = limits
  }

  /** That of what this thread makes without naming an owner. */
  static current(): Scope {
    ofThread ??= new Scope('this thread', null)
    return ofThread
  }

  /** Its row. @throws UserWorkerError ENOSYS: it has ended; EAGAIN: the table of all rows is full */
  get row(): number {
    if (this.#row === null) {
      if (this.isGone) throw this.#ended()
      const parent = this.parent === null ? ownRow() : this.parent.row
      this.#row = claimLimited(this.words, parent, this.#limits)
      const { words } = this
      this.#number = ownerNumber(words, this.#row)
      forgotten.register(this, { words, row: this.#row, number: this.#number }, this)
    }
    return this.#row
  }

  get limits(): Required<OwnerLimits> {
    if (this.isGone) return { workers: Infinity, heapMb: Infinity, ...this.#limits }
    return limitsOf(this.words, this.row)
  }

  set limits(limits: OwnerLimits) {
    this.#limits = { ...this.#limits, ...limits }
    setLimits(this.words, this.row, limits)
    this.root.changed()
  }

  /** The scope of the thread, which all others of the thread are below. */
  get root(): Scope {
    return this.parent === null ? this : this.parent.root
  }

  get state(): 'running' | 'frozen' | 'stopped' | 'killed' {
    if (this.#end()?.code === 'ERR_OWNER_KILLED') return 'killed'
    if (this.hasEnded) return 'stopped'
    return this.isFrozen ? 'frozen' : 'running'
  }

  get isFrozen(): boolean {
    return !this.isGone && isFrozen(this.words, this.row, 'work')
  }

  /** How many workers may be made here now. */
  get room(): number {
    return this.isGone ? Infinity : roomBelow(this.words, this.row)
  }

  /** The scope of this thread whose limit leaves no room here. */
  get full(): Scope {
    const row = fullOwnerOf(this.words, this.row)
    return (row === null ? null : this.#withRow(row)) ?? this.root
  }

  /** Whether it, or an owner above it, was told to stop. */
  get hasEnded(): boolean {
    if (this.#hasEnded || this.#ending !== null) return true
    return this.parent !== null && this.parent.hasEnded
  }

  /** Whether its row is gone, its own or with that of an owner above. */
  get isGone(): boolean {
    return this.#hasEnded || (this.parent !== null && this.parent.isGone)
  }

  /** Why nothing can be made here, or null. */
  get refusal(): UserWorkerError | null {
    // A queue that is told to end may need workers for the works it has.
    const isEnding = this.hasEnded && !this.#hasEnder
    return this.#end() ?? (isEnding ? this.#ended() : null)
  }

  /** Why nothing can be made here any more, by the end of this owner or of one above; or null. */
  #end(): UserWorkerError | null {
    if (this.#killed !== null) return this.#killed
    if (this.#hasEnded) return this.#ended()
    if (this.parent !== null) return this.parent.#end()
    // By another thread, far above.
    if (!isKilled(this.words, this.row)) return null
    return new UserWorkerError('ERR_OWNER_KILLED', 'An owner of this worker was killed')
  }

  get #hasEnder(): boolean {
    return [...this.#members].some(({ endsOthers }) => endsOthers)
  }

  /**
   * A row for a worker that is about to be made. Where there is no room, a worker of a queue that does
   * nothing is asked to leave, so that there is room soon.
   *
   * @throws UserWorkerError ERR_OWNER_KILLED, ENOSYS; EAGAIN: a limit is reached
   */
  claim(): number {
    this.#check()
    const { row, full } = claimWithin(this.words, this.row)
    if (row !== null) return row
    const error = this.#overLimit(full)
    ;(this.#withRow(full) ?? this.root).yieldWorker(false)
    throw error
  }

  /** The row of a spare becomes one of ours. @throws as {@link claim}; then it is where it was */
  take(row: number, from: Scope): void {
    this.#check()
    rehome(this.words, row, this.row)
    const full = fullAbove(this.words, row)
    if (full === null) return
    from.takeBack(row)
    throw this.#overLimit(full)
  }

  /** A spare that was to be another's is ours again. */
  takeBack(row: number): void {
    rehome(this.words, row, this.row)
  }

  #ended(): UserWorkerError {
    return new UserWorkerError('ENOSYS', `The owner '${this.name}' has ended`)
  }

  #overLimit(full: number): UserWorkerError {
    const scope = this.#withRow(full)
    const owner = scope?.name ?? 'of another thread'
    const which = scope === null ? 'An owner of another thread' : `The owner '${owner}'`
    const most = limitsOf(this.words, full).workers
    const text = `${which} has as many workers as its limit allows, ${most}`
    return new UserWorkerError('EAGAIN', text, { owner })
  }

  /** The scope of this thread with this row, of this one and those above. */
  #withRow(row: number): Scope | null {
    if (this.#row === row) return this
    return this.parent === null ? null : this.parent.#withRow(row)
  }

  #check(): void {
    const { refusal } = this
    if (refusal !== null) throw refusal
  }

  /** The most heap that a worker here may have, in MB. */
  get heapMb(): number {
    return heapLimitOf(this.words, this.row)
  }

  enter(member: Member): void {
    if (this.#members.size === 0) this.parent?.enter(this)
    this.#members.add(member)
  }

  /** To be called when a member is gone. */
  leave(member: Member): void {
    if (!this.remove(member)) return
    stood()
    this.root.changed()
  }

  /** {@link leave}, where that makes no room: its worker is another member's from here on. */
  remove(member: Member): boolean {
    if (!this.#members.delete(member)) return false
    if (this.#members.size > 0) return true
    if (this.#hasEnded) this.#giveBack()
    this.parent?.remove(this)
    return true
  }

  /** All workers below, wherever they were made. */
  workers(): OwnedWorker[] {
    if (this.isGone) return []
    return workersOf(this.words, this.row).map((row) =>
      ownedWorker(this.words, row, this.nameOf(row)),
    )
  }

  async freeze(options: Required<FreezeOptions>): Promise<FreezeReport> {
    this.#check()
    const frozen = freezeBelow(this.words, this.row, options, () => this.look())
    this.changed()
    const rows = await frozen
    return { laggards: rows.map((row) => laggardOf(this.words, row, this.nameOf(row))) }
  }

  /** @returns whether it was frozen */
  thaw(): boolean {
    const wasFrozen = thawBelow(this.words, this.row)
    // Some have not stood, and sleep in their event loops beside works that wait.
    this.look()
    this.changed()
    return wasFrozen
  }

  kill(reason: unknown): void {
    if (this.isGone) return
    const why = reason instanceof Error ? reason.message : String(reason)
    const text = `The owner '${this.name}' was killed: ${why}`
    this.killed(new UserWorkerError('ERR_OWNER_KILLED', text, { cause: reason }))
    // What the thread makes from here on is another's.
    if (this === ofThread) ofThread = null
  }

  killed(error: UserWorkerError): void {
    if (this.#killed !== null) return
    this.#killed = error
    ask(this.words, this.row, 'kill')
    for (const member of this.#enders()) member.killed(error)
  }

  /** Resolves when all below has ended, and the row is given back. */
  finish(): Promise<void> {
    this.#ending ??= this.#finish().catch((error: unknown) => {
      // It was refused to wait for somebody: it can be asked again.
      this.#ending = null
      throw error
    })
    return this.#ending
  }

  /** A stop beats a freeze, of this owner and of those above: what is below goes on. */
  letGo(): void {
    // With an owner above that has ended its row went too, and may be another's by now.
    if (this.isGone) return
    ask(this.words, this.row, 'stop')
    for (const row of workersOf(this.words, this.row)) ring(this.words, row)
    this.look()
    this.changed()
  }

  async #finish(): Promise<void> {
    if (this === ofThread) ofThread = null
    this.letGo()
    await Promise.all(this.#enders().map((member) => member.finish()))
    // What a queue could not end by its deadline goes when it can.
    await Promise.all([...this.#members].map((member) => member.finish()))
    this.release()
  }

  /** Those whom it takes to end all members. */
  #enders(): Member[] {
    const members = [...this.#members]
    const enders = members.filter(({ endsOthers }) => endsOthers)
    return enders.length > 0 ? enders : members
  }

  /** It has ended. A thread that cannot be ended may still be below it: then the row goes with that. */
  release(): void {
    this.#hasEnded = true
    if (this.#members.size === 0) this.#giveBack()
  }

  #giveBack(): void {
    forgotten.unregister(this)
    const [row, number] = [this.#row, this.#number]
    this.#row = null
    // It may have gone with the owner above it, and be another's by now.
    if (row !== null && ownerNumber(this.words, row) === number) releaseTree(this.words, row)
  }

  look(): void {
    for (const member of this.#members) member.look()
  }

  changed(): void {
    for (const member of this.#members) member.changed()
  }

  yieldWorker(forOneWithNone: boolean): boolean {
    return [...this.#members].some((member) => member.yieldWorker(forOneWithNone))
  }

  nameOf(row: number): string | undefined {
    for (const member of this.#members) {
      const name = member.nameOf(row)
      if (name !== undefined) return name
    }
    return undefined
  }
}
