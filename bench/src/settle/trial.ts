/**
 * What runs in a process of its own: one row with one pool. Prints what was seen.
 *
 * `node trial.js <what to try, as JSON>`
 *
 * @module
 */
import { readFileSync, writeSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { pools } from './pools.js'
import type { Adapter, Opening, Pool, Row, Trial } from './row.js'
import { rows } from './rows.js'
import { notPossible } from './rows/limits.js'
import { resolvedTo, wordsOf } from './words.js'

/** What to try. */
export interface Plan {
  readonly row: string
  readonly pool: string
  readonly isolation: string
  /** A promise that is pending after so long hangs. */
  readonly hangMs: number
  /** A file that is not there yet. */
  readonly mark: string
}

/** What was seen; or why nothing was tried. */
export type Outcome =
  | { readonly seen: string; readonly ms: number; readonly next: string }
  | { readonly missing: string }

const hang = Symbol('hang')

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

class RowTrial implements Trial {
  readonly mark: string
  readonly threads: Worker[] = []
  readonly #adapter: Adapter
  readonly #hangMs: number
  #pool: Pool | null = null
  #begunAt = performance.now()
  #endedAt: number | null = null
  #followed = 0
  #pending = 0

  constructor(adapter: Adapter, { mark, hangMs }: Plan) {
    this.mark = mark
    this.#adapter = adapter
    this.#hangMs = hangMs
    process.on('worker', (thread: Worker) => this.threads.push(thread))
  }

  /** From the beginning to the last end. */
  get ms(): number {
    return Math.round((this.#endedAt ?? performance.now()) - this.#begunAt)
  }

  async open(opening: Opening = {}): Promise<Pool> {
    this.#pool = null
    this.#pool = await this.#adapter.open(opening)
    return this.#pool
  }

  async warm(opening: Opening = {}): Promise<Pool> {
    const pool = await this.open(opening)
    await pool.enqueue('echo').result
    return pool
  }

  async marked(lines: number): Promise<readonly string[]> {
    for (;;) {
      const seen = this.#lines()
      if (seen.length >= lines) return seen
      await pause(2)
    }
  }

  begin(): void {
    this.#begunAt = performance.now()
    this.#endedAt = null
  }

  follow(promises: readonly Promise<unknown>[]): void {
    this.#followed = promises.length
    this.#pending = promises.length
    const ended = (): void => void this.#pending--
    for (const promise of promises) promise.then(ended, ended)
  }

  /** A hang, in words. */
  get hang(): string {
    return this.#followed === 0 ? 'HANG' : `HANG of ${this.#pending}`
  }

  async endOf(
    promise: PromiseLike<unknown>,
    words: (error: unknown) => string = wordsOf,
  ): Promise<string> {
    const end = await promise.then(resolvedTo, words)
    this.#endedAt = performance.now()
    return end
  }

  /** Waits for something that may hang. */
  async watch<Value>(promise: Promise<Value>): Promise<Value | typeof hang> {
    const ended = new AbortController()
    try {
      return await Promise.race([promise, this.#watchdog(ended.signal)])
    } finally {
      ended.abort()
    }
  }

  async #watchdog(ended: AbortSignal): Promise<typeof hang> {
    while (!ended.aborted && performance.now() - this.#begunAt < this.#hangMs) await pause(20)
    return hang
  }

  /** Whether the next work runs. */
  async next(kind: Row['next']): Promise<string> {
    const pool = kind === 'new' ? null : this.#pool
    const used = pool ?? (await this.open())
    return used
      .enqueue('echo', 'next')
      .result.then((value) => (value === 'next' ? 'runs' : resolvedTo(value)), wordsOf)
  }

  #lines(): string[] {
    try {
      return readFileSync(this.mark, 'utf8').split('\n').slice(0, -1)
    } catch {
      return []
    }
  }
}

async function outcomeOf(plan: Plan): Promise<Outcome> {
  const row = rows.find(({ title }) => title === plan.row)
  const adapter = await pools[plan.pool]?.(plan.isolation)
  if (row === undefined || adapter === undefined) throw new Error(JSON.stringify(plan))
  const missing = row.needs?.find((feature) => !adapter.features.has(feature))
  if (missing !== undefined) return { missing: 'n/a' }
  let crash = ''
  process.on('uncaughtException', () => {
    crash = ', and an uncaught error in the owner'
  })
  const trial = new RowTrial(adapter, plan)
  trial.begin()
  const seen = await trial.watch(row.run(trial).catch((error: unknown) => wordsOf(error)))
  if (seen === notPossible) return { missing: notPossible }
  const { ms } = trial
  // Now: the next work may set free what hung.
  const end = seen === hang ? trial.hang : seen
  trial.begin()
  const next = await trial.watch(trial.next(row.next).catch((error: unknown) => wordsOf(error)))
  return {
    seen: end + crash,
    ms,
    next: next === hang ? 'HANG' : next,
  }
}

const outcome = await outcomeOf(JSON.parse(process.argv[2] ?? '{}') as Plan)
writeSync(1, `\n${JSON.stringify(outcome)}\n`)
process.exit(0)
