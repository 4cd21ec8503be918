/**
 * Faults on the way to another back end, by rules (`fault-rules.ts`): for people who test databases and
 * file systems.
 *
 * What is decided at an operation depends on the seed, the rule, and how many operations have fitted the
 * rule before, in all threads: with one queue, the same requests get the same faults again.
 *
 * | words            | written by          | meaning                                   |
 * | ---------------- | ------------------- | ----------------------------------------- |
 * | two for a rule   | all threads, by add | operations that fitted; faults that came  |
 * | two at the end   | `journal.ts`        |                                           |
 *
 * @module
 */
import * as memory from '#memory'
import { seeded } from '../../os/random.js'
import { inTurn, type BackEnd, type Bytes, type Done, type Outcome, type Step } from './back-end.js'
import type { FaultOperation, FaultRule } from './fault-rules.js'
import { Journal, journalWords } from './journal.js'
import { sectorBytes } from './spec.js'

/** The words that the threads of a disk with such rules share. */
export function faultWords(rules: readonly FaultRule[]): memory.Words {
  return memory.allocate(2 * rules.length + journalWords)
}

/** Faults that have come so far, rule by rule. */
export function faultsSoFar(words: memory.Words): number[] {
  const rules = (words.length - journalWords) / 2
  return Array.from({ length: rules }, (_, rule) => memory.load(words, 2 * rule + 1))
}

export interface FaultsParts {
  readonly over: BackEnd
  readonly rules: readonly FaultRule[]
  readonly seed: number
  readonly words: memory.Words
  /** The file of the journal, where there is one. */
  readonly journal: string | null
  /** Calls later, in this thread. */
  readonly after: (ms: number, run: () => void) => void
}

/** What befalls an operation. */
interface Fate {
  readonly rule: FaultRule | null
  readonly delayMs: number
  /** Of this occasion: from 0 to 1. */
  readonly chance: number
}

export class FaultsBackEnd implements BackEnd {
  readonly size: number
  readonly alignment: number
  readonly #parts: FaultsParts
  readonly #journal: Journal | null

  constructor(parts: FaultsParts) {
    this.#parts = parts
    this.size = parts.over.size
    this.alignment = parts.over.alignment
    this.#journal =
      parts.journal === null
        ? null
        : new Journal(parts.journal, parts.words, 2 * parts.rules.length)
  }

  read(bytes: Bytes, offset: number, done: Done): Outcome {
    const { over } = this.#parts
    return this.#suffer('read', offset, bytes.length, done, ({ rule }, end) =>
      rule === null ? over.read(bytes, offset, end) : 'failed',
    )
  }

  write(bytes: Bytes, offset: number, done: Done): Outcome {
    return this.#suffer('write', offset, bytes.length, done, ({ rule, chance }, end) => {
      if (rule === null) return this.#write(bytes, offset, end)
      if (rule.action === 'lose') return 'done'
      if (rule.action === 'error') return 'failed'
      const length = Math.floor((bytes.length / sectorBytes) * chance) * sectorBytes
      const answer: Step = () => (rule.answer === 'ok' ? 'done' : 'failed')
      if (length === 0) return answer(end)
      const first = { segments: bytes.segments, from: bytes.from, length }
      return inTurn([(written) => this.#write(first, offset, written), answer], end)
    })
  }

  flush(done: Done): Outcome {
    const { over } = this.#parts
    return this.#suffer('flush', 0, 0, done, ({ rule }, end) => {
      if (rule !== null) return rule.action === 'lose' ? 'done' : 'failed'
      return this.#journal === null ? over.flush(end) : this.#journal.flush(over, end)
    })
  }

  discard(offset: number, length: number, done: Done): Outcome {
    const { over } = this.#parts
    return this.#suffer('discard', offset, length, done, ({ rule }, end) => {
      if (rule !== null) return 'failed'
      return this.#after(offset, length, (ended) => over.discard(offset, length, ended), end)
    })
  }

  zero(offset: number, length: number, mayUnmap: boolean, done: Done): Outcome {
    const { over } = this.#parts
    return this.#suffer('zero', offset, length, done, ({ rule }, end) => {
      if (rule !== null) return 'failed'
      return this.#after(offset, length, (ended) => over.zero(offset, length, mayUnmap, ended), end)
    })
  }

  close(): void {
    this.#journal?.close()
    this.#parts.over.close()
  }

  #write(bytes: Bytes, offset: number, done: Done): Outcome {
    const { over } = this.#parts
    return this.#after(offset, bytes.length, (end) => over.write(bytes, offset, end), done)
  }

  /** Notes what a change will replace, and makes it. */
  #after(offset: number, length: number, change: Step, done: Done): Outcome {
    const journal = this.#journal
    if (journal === null) return change(done)
    const { over } = this.#parts
    return inTurn([(noted) => journal.note(over, offset, length, noted), change], done)
  }

  #suffer(
    operation: FaultOperation,
    offset: number,
    length: number,
    done: Done,
    go: (fate: Fate, done: Done) => Outcome,
  ): Outcome {
    const fate = this.#fateOf(operation, offset / sectorBytes, (offset + length) / sectorBytes)
    if (fate.delayMs === 0) return go(fate, done)
    this.#parts.after(fate.delayMs, () => {
      const outcome = go(fate, done)
      if (outcome !== 'later') done(outcome === 'done')
    })
    return 'later'
  }

  /** The first rule that is no delay decides; delays add up. */
  #fateOf(operation: FaultOperation, first: number, end: number): Fate {
    let fate: Fate = { rule: null, delayMs: 0, chance: 0 }
    this.#parts.rules.forEach((rule, index) => {
      if (rule.operation !== operation && rule.operation !== 'any') return
      if (rule.sectors !== undefined && (end <= rule.sectors[0] || first > rule.sectors[1])) return
      const chance = this.#comes(rule, index)
      if (chance === null) return
      if (rule.action === 'delay') fate = { ...fate, delayMs: fate.delayMs + (rule.ms ?? 0) }
      else if (fate.rule === null) fate = { ...fate, rule, chance }
    })
    return fate
  }

  /** Whether it happens this time. @returns null if not; else a number from 0 to 1, of this time */
  #comes({ p = 1, nth = 1, after = 0, times }: FaultRule, index: number): number | null {
    const { words, seed } = this.#parts
    const fitting = memory.add(words, 2 * index, 1) + 1
    if (fitting <= after || (fitting - after) % nth !== 0) return null
    const next = seeded(seed + Math.imul(index + 1, 0x9e3779b1) + Math.imul(fitting, 0x85ebca6b))
    if (next(2 ** 32) >= p * 2 ** 32) return null
    const before = memory.add(words, 2 * index + 1, 1)
    if (times === undefined || before < times) return next(2 ** 32) / 2 ** 32
    memory.add(words, 2 * index + 1, -1)
    return null
  }
}
