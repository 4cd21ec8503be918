/**
 * The account of works: what was asked for, how often it began, and what came of it.
 *
 * A work has a place from when it is submitted until everything is at rest. Its handler counts at that
 * place that it has begun: in shared memory, or, where it runs in a child process, in a file.
 *
 * @module
 */
import { appendFileSync, readFileSync, truncateSync } from 'node:fs'
import type { CloseReport, QueueStats } from 'userworker'

/** The most works between two rests. */
const mostWorks = 2 ** 18
const mostNotes = 20

/** What may come of a work. */
export interface Right<Value> {
  /** Whether this value is right; none is unless this is there. */
  readonly value?: (value: Value) => boolean
  /** The codes, or messages, that it may reject with. */
  readonly errors?: readonly string[]
}

/** How a work ended. */
export type End<Value> = { readonly value: Value } | { readonly error: Error & { code?: string } }

/** A queue, as its account is checked. */
interface Closes {
  close(): Promise<CloseReport>
  stats(): QueueStats
}

export class Ledger {
  /** At a work's place: how often its handler has begun. */
  readonly begun: Int32Array<SharedArrayBuffer>
  /** The same, as bytes of 4 for each begin, from other processes. */
  readonly begunFile: string
  /** How many works of each kind there were. */
  readonly works = new Map<string, number>()
  lost = 0
  duplicated = 0
  wrong = 0
  /** The first few of what is off, in words. */
  readonly notes: string[] = []
  readonly #open = new Map<number, string>()
  readonly #ends = new Set<Promise<unknown>>()
  #next = 0

  constructor(begunFile: string) {
    this.begun = new Int32Array(new SharedArrayBuffer(4 * mostWorks))
    this.begunFile = begunFile
    appendFileSync(begunFile, '')
  }

  /** How many works are not settled. */
  get open(): number {
    return this.#open.size
  }

  /** Whether a rest is due: there is hardly a place left. */
  get isFull(): boolean {
    return this.#next > mostWorks / 2
  }

  /** Submits a work, and judges what comes of it. It never rejects. */
  work<Value>(
    kind: string,
    submit: (place: number) => Promise<Value>,
    right: Right<Value>,
  ): Promise<End<Value>> {
    const place = this.#next++
    this.works.set(kind, (this.works.get(kind) ?? 0) + 1)
    this.#open.set(place, kind)
    const end = settled(submit, place).then((each) => {
      this.#open.delete(place)
      this.#judge(kind, each, right)
      return each
    })
    this.#ends.add(end)
    void end.then(() => this.#ends.delete(end))
    return end
  }

  /** Something that takes its time, and should end without an error. It never rejects. */
  step(what: string, submit: () => Promise<unknown>): Promise<unknown> {
    return this.work(what, submit, { value: () => true })
  }

  /** Closes a queue, which must know of as many ends as of works, and must not need force. */
  async close(what: string, queue: Closes): Promise<void> {
    await this.work(`${what}: close`, () => queue.close(), {
      value: ({ stuck }) => stuck.length === 0,
    })
    this.check(what, queue)
  }

  /** Whether a queue at rest knows of as many ends as of works. */
  check(what: string, queue: Closes): void {
    const { submitted, done, failed, canceled, unsettled } = queue.stats()
    if (submitted === done + failed + canceled && unsettled === 0) return
    const counts = JSON.stringify({ submitted, done, failed, canceled, unsettled })
    this.note('wrong', `${what}: the queue's own counts: ${counts}`)
  }

  note(what: 'lost' | 'duplicated' | 'wrong', note: string): void {
    this[what]++
    if (this.notes.length < mostNotes) this.notes.push(`${what}: ${note}`)
  }

  /** Waits until all is settled, counts what is off, and begins anew. */
  async rest(deadlineMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs)
    })
    await Promise.race([Promise.all(this.#ends), late])
    clearTimeout(timer)
    for (const kind of this.#open.values())
      this.note('lost', `${kind}: not settled ${deadlineMs} ms after the last of them came`)
    this.#countBegins()
    this.#open.clear()
    this.#ends.clear()
    this.#next = 0
  }

  #countBegins(): void {
    const file = readFileSync(this.begunFile)
    for (let at = 0; at + 4 <= file.length; at += 4) {
      const place = file.readInt32LE(at)
      this.begun[place] = (this.begun[place] ?? 0) + 1
    }
    truncateSync(this.begunFile)
    for (let place = 0; place < this.#next; place++) {
      const count = this.begun[place] ?? 0
      if (count > 1) this.note('duplicated', `a work began ${count} times`)
    }
    this.begun.fill(0)
  }

  #judge<Value>(kind: string, end: End<Value>, { value, errors = [] }: Right<Value>): void {
    if ('value' in end) {
      if (value?.(end.value) === true) return
      this.note('wrong', `${kind}: ${String(JSON.stringify(end.value)).slice(0, 200)}`)
      return
    }
    const { error } = end
    if (errors.includes(error.code ?? '') || errors.includes(error.message)) return
    this.note('wrong', `${kind}: ${error.code}: ${String(error.stack).slice(0, 600)}`)
  }
}

async function settled<Value>(
  submit: (place: number) => Promise<Value>,
  place: number,
): Promise<End<Value>> {
  try {
    return { value: await submit(place) }
  } catch (error) {
    return { error: error as Error }
  }
}
