/**
 * What the command shows.
 *
 * @module
 */

/** Standard output: on a terminal with a line at its end that is always new. */
export class Screen {
  readonly #isQuiet: boolean
  readonly #isTerminal = process.stdout.isTTY
  #status = ''

  constructor(isQuiet: boolean) {
    this.#isQuiet = isQuiet
  }

  /** A line that stays. */
  line(text: string): void {
    if (this.#isQuiet) return
    process.stdout.write(`${this.#status === '' ? '' : '\r\x1b[K'}${text}\n${this.#status}`)
  }

  /** The line at the end, of terminals only. */
  status(text: string): void {
    if (this.#isQuiet || !this.#isTerminal || text === this.#status) return
    process.stdout.write(`\r\x1b[K${text}`)
    this.#status = text
  }

  end(): void {
    if (this.#status !== '') process.stdout.write('\n')
  }
}
