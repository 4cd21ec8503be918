/**
 * The reference model: a plain list of what was asked for and what came of it, and the rules by which
 * each event is judged at once.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { errorRules, type Circumstances } from './rules.js'

/** What the program asked for. */
export interface Asked {
  readonly queue: string
  readonly unbounded: boolean
  readonly name: string
  /** Undefined: none. */
  readonly key: string | number | undefined
  /** Works with the same key and line run one after the other. */
  readonly line: string
  /** 0: high. */
  readonly level: number
  readonly after: readonly number[]
  readonly timeoutMs: number
  readonly killAfterMs: number | null
  /** What it must result in, if it is done. */
  readonly expected: unknown
  /** What its caller carries. */
  readonly store: string | undefined
  /** Whether the queue was full. */
  readonly isBeyondLimit: boolean
}

/** One call of a handler. */
export interface Run {
  readonly thread: string
  /** When it was called, at the earliest. */
  readonly since: number
  /** How it left the handler; null: it is in it. */
  end: 'returned' | 'threw' | 'died' | null
}

/** A work. */
export interface Entry extends Asked {
  readonly id: number
  /** When its submission was over; Infinity before. */
  submittedAt: number
  /** How many deaths of threads the program had heard of when it was asked for. */
  readonly deathsBefore: number
  run: Run | null
  outcome: 'done' | 'failed' | null
  code: string | null
  /** What its cancel answered. */
  canceled: 'canceled' | 'running' | null
  isAborted: boolean
}

/** What happened to a queue. */
export class QueueFacts implements Circumstances {
  deaths = 0
  refusals = 0
  loadFailures = 0
  standstills = 0
  forcedEnds = 0
  isClosing = false
  isOwnerKilled = false
  isOwnerStopped = false
  dropsOldest = false
  /** Whether all of its threads stand. */
  stands = false
}

/** What can be asked of the program at any time. */
export interface Peek {
  stateOf(id: number): string | null
  /** What there is too much of, now that a thread of that name is being made; null: nothing. */
  excess(thread: string): string | null
}

export class Ledger {
  readonly entries: Entry[] = []
  readonly divergences: string[] = []
  readonly edges = new Set<string>()
  readonly queues = new Map<string, QueueFacts>()
  peek: Peek | null = null
  now: () => number = () => 0
  /** Whether a thread has others above it for long. */
  isHeldUp: () => boolean = () => false
  /** Whether a thread was told to end, and can do nothing more. */
  isDying: (thread: string) => boolean = () => false
  tell: (line: () => string) => void = () => {}
  /** The works in handlers, by the numbers of their threads. */
  readonly #running = new Set<Entry>()
  readonly #gone = new Set<string>()

  factsOf(queue: string): QueueFacts {
    let facts = this.queues.get(queue)
    if (facts === undefined) this.queues.set(queue, (facts = new QueueFacts()))
    return facts
  }

  diverge(text: string): void {
    this.divergences.push(`at ${this.now().toFixed(1)} ms: ${text}`)
    this.tell(() => `DIVERGENCE ${text}`)
  }

  asked(asked: Asked): Entry {
    const entry: Entry = {
      ...asked,
      id: this.entries.length,
      submittedAt: Infinity,
      deathsBefore: this.factsOf(asked.queue).deaths,
      run: null,
      outcome: null,
      code: null,
      canceled: null,
      isAborted: false,
    }
    this.entries.push(entry)
    this.tell(() => `${shown(entry)} is submitted`)
    return entry
  }

  /** A handler is called. */
  began(id: number, thread: string, since: number, store: string | undefined): void {
    const entry = this.entries[id]
    if (entry === undefined)
      return this.diverge(`a handler was called for a work ${id}, that is none`)
    this.tell(() => `${shown(entry)} begins in ${thread}`)
    this.#mayBegin(entry, since, store)
    entry.run = { thread, since, end: null }
    this.#running.add(entry)
  }

  /** It returned, or threw. */
  ended(id: number, end: 'returned' | 'threw'): void {
    const entry = this.entries[id]
    if (entry?.run === undefined || entry.run === null || entry.run.end !== null) return
    entry.run.end = end
    this.#running.delete(entry)
    this.tell(() => `${shown(entry)} ${end}`)
  }

  /** A thread is gone, and with it whatever it ran. */
  gone(thread: string): void {
    this.#gone.add(thread)
    for (const entry of this.#running) {
      if (entry.run?.thread !== thread) continue
      entry.run.end = 'died'
      this.#running.delete(entry)
    }
  }

  settled(entry: Entry, outcome: 'done' | 'failed', value: unknown): void {
    const code = outcome === 'done' ? null : codeOf(value)
    this.tell(() => `${shown(entry)} is ${outcome}${code === null ? '' : `: ${code}`}`)
    if (entry.outcome !== null) return this.diverge(`${shown(entry)} was settled twice`)
    entry.outcome = outcome
    entry.code = code
    this.#edge(entry)
    if (outcome === 'done') this.#mayBeDone(entry, value)
    else {
      const why = errorRules(entry, this.factsOf(entry.queue), this, code as string)
      if (why !== null) this.diverge(`${shown(entry)} failed by ${code}, ${why}: ${String(value)}`)
    }
  }

  /** Whether a work that another one follows is not done, or will not be. */
  isNotDone(id: number): boolean {
    return this.entries[id]?.outcome !== 'done'
  }

  /** Whether nothing of a thread can run any more. */
  isGone(thread: string): boolean {
    return this.#gone.has(thread) || this.isDying(thread)
  }

  #mayBegin(entry: Entry, since: number, store: string | undefined): void {
    if (entry.run !== null) this.diverge(`${shown(entry)} begins a second time`)
    if (entry.canceled === 'canceled') this.diverge(`${shown(entry)} begins, and was cancelled`)
    if (store !== entry.store) {
      this.diverge(`${shown(entry)} carries ${String(store)} instead of ${String(entry.store)}`)
    }
    if (this.factsOf(entry.queue).stands) this.diverge(`${shown(entry)} begins in a frozen queue`)
    for (const id of entry.after) {
      if (this.peek?.stateOf(id) !== 'done')
        this.diverge(`${shown(entry)} begins before work ${id} is done`)
    }
    if (entry.key !== undefined) this.#mayHaveKey(entry)
    else if (entry.after.length === 0) this.#isFirst(entry, since)
  }

  #mayHaveKey(entry: Entry): void {
    for (const other of this.#running) {
      if (!isSameLine(entry, other) || this.isGone(other.run?.thread ?? '')) continue
      this.diverge(`${shown(entry)} begins beside ${shown(other)}`)
    }
    // Judged by who begins too late: one that is passed by may be about to be settled.
    for (const other of this.entries.slice(entry.id + 1)) {
      if (other.run === null || !isSameLine(entry, other)) continue
      this.diverge(`${shown(entry)} begins after ${shown(other)}`)
    }
  }

  /**
   * No work without a key that was there before, and is as urgent, may still wait; nor one that is more
   * urgent, and was there when its worker looked for the next one.
   */
  #isFirst(entry: Entry, since: number): void {
    for (const other of this.entries) {
      if (other.id >= entry.id) break
      if (other.outcome !== null || other.run !== null || other.key !== undefined) continue
      if (other.after.length > 0 || other.level > entry.level) continue
      const wasThere = other.submittedAt < since && isTakenAtOnce(entry)
      if (other.level < entry.level && !wasThere) continue
      if (other.queue !== entry.queue || other.unbounded !== entry.unbounded) continue
      // It may be out of the rings already, by a call that settles it before it returns.
      if (other.canceled !== null) continue
      // It may have been claimed, and have lost its thread and its place.
      if (this.factsOf(entry.queue).deaths > other.deathsBefore) continue
      if (this.#waits(other)) {
        this.diverge(`${shown(entry)} begins, and ${shown(other)} still waits`)
      }
    }
  }

  /** As the library has it: the model hears of a settlement later. */
  #waits(entry: Entry): boolean {
    return this.peek?.stateOf(entry.id) === 'pending'
  }

  #mayBeDone(entry: Entry, value: unknown): void {
    if (entry.run === null) this.diverge(`${shown(entry)} is done, and never began`)
    else if (entry.run.end !== 'returned') this.diverge(`${shown(entry)} is done, and did not end`)
    if (entry.canceled === 'canceled') this.diverge(`${shown(entry)} is done, and was cancelled`)
    if (!isDeepStrictEqual(value, entry.expected))
      this.diverge(`${shown(entry)} has a wrong result`)
  }

  #edge(entry: Entry): void {
    const from = entry.run === null ? 'waiting' : 'begun'
    const to = entry.outcome === 'done' ? 'done' : isCancel(entry.code) ? 'canceled' : 'failed'
    this.edges.add(`work ${from} → ${to}`)
  }
}

function isCancel(code: string | null): boolean {
  return code === 'ECANCELED' || code === 'ABORT_ERR' || code === 'ERR_OWNER_KILLED'
}

/** Whether it is called as soon as it is claimed: its arguments do not come by message. */
function isTakenAtOnce({ name }: Entry): boolean {
  return name === 'add' || name === 'attend' || name === 'spin' || name === 'block'
}

function isSameLine(one: Entry, other: Entry): boolean {
  return one.line === other.line && one.key === other.key
}

function codeOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return typeof code === 'string' ? code : `'${String(message)}'`
}

function shown(entry: Entry): string {
  const key = entry.key === undefined ? '' : ` of key ${String(entry.key)}`
  const kind = `${entry.unbounded ? 'u' : 'b'}${entry.level}`
  return `work ${entry.id} (${entry.queue} ${kind} ${entry.name}${key})`
}
