/**
 * The steps of the test: each is tried, timed and named, whatever became of those before it.
 *
 * @module
 */

/** One step. */
export interface Outcome {
  readonly name: string
  readonly ms: number
  /** What went wrong, or null. */
  readonly error: string | null
}

export class Course {
  readonly outcomes: Outcome[] = []
  readonly #lacks: readonly string[]
  readonly #report: (line: string) => void

  /** @param lacks - the names of steps that are left out */
  constructor(lacks: readonly string[], report: (line: string) => void) {
    this.#lacks = lacks
    this.#report = report
  }

  /** Does a step. It is done when it throws nothing. */
  async step(name: string, action: () => Promise<void>): Promise<void> {
    if (this.#lacks.includes(name)) {
      this.#report(`     -         ${name}: this backend cannot`)
      return
    }
    const began = performance.now()
    const error = await action().then(
      () => null,
      (reason: unknown) => (reason instanceof Error ? reason.message : String(reason)),
    )
    const ms = Math.round(performance.now() - began)
    this.outcomes.push({ name, ms, error })
    this.#report(`${error === null ? 'ok  ' : 'FAIL'} ${`${ms}`.padStart(6)} ms ${name}`)
    if (error !== null) this.#report(error.replace(/^/gm, '       '))
  }

  /** The last line of the test. */
  get summary(): string {
    const passed = this.outcomes.filter(({ error }) => error === null).length
    const all = this.outcomes.length
    return `guest: ${passed === all ? 'ok' : 'FAILED'} ${passed}/${all}`
  }
}
