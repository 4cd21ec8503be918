/**
 * What the user sees while the demo runs.
 *
 * @module
 */
import { now } from '../../os/clock.js'
import type { BusyWorker } from './threads.js'
import type { Entry } from './tree.js'

/** A part of the demo that goes over files. */
export interface Phase {
  readonly title: string
  readonly files: readonly Entry[]
  /** The workers at this moment, where the phase has any. */
  readonly workers?: () => BusyWorker[]
}

/** What the demo tells the user through. */
export interface View {
  /** Prints lines that stay. Not during a phase. */
  say(...lines: string[]): void
  begin(phase: Phase): void
  /** A file is done. */
  advance(entry: Entry): void
  /** Ends the phase, if there is one, and leaves the terminal as it was. */
  end(): void
}

/** How much of a phase is done. Files count with their size. */
export class Progress {
  done = 0
  readonly total: number
  readonly #weight: number
  #doneWeight = 0

  constructor({ files }: Phase) {
    this.total = files.length
    this.#weight = files.reduce((sum, entry) => sum + weightOf(entry), 0)
  }

  /** From 0 to 1. */
  get part(): number {
    return this.#weight === 0 ? 1 : this.#doneWeight / this.#weight
  }

  advance(entry: Entry): void {
    this.done++
    this.#doneWeight += weightOf(entry)
  }
}

/** An empty file takes about as long as 4 KiB more in another one. */
const weightOf = (entry: Entry): number => entry.size + 4096

const lineEveryMs = 1000
const lineEveryPart = 0.1

/** For a pipe or a file: lines, and no control characters. */
export class LineView implements View {
  #progress: Progress | null = null
  #lastAt = 0
  #lastPart = 0

  say(...lines: string[]): void {
    for (const line of lines) process.stdout.write(`${line}\n`)
  }

  begin(phase: Phase): void {
    this.say(phase.title)
    this.#progress = new Progress(phase)
    this.#lastAt = now()
    this.#lastPart = 0
  }

  advance(entry: Entry): void {
    const progress = this.#progress
    if (progress === null) return
    progress.advance(entry)
    const { part, done, total } = progress
    if (part < this.#lastPart + lineEveryPart || now() - this.#lastAt < lineEveryMs) return
    this.#lastAt = now()
    this.#lastPart = part
    this.say(`  ${Math.floor(part * 100)} %, ${done} of ${total} files`)
  }

  end(): void {
    this.#progress = null
  }
}
