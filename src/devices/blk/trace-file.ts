/**
 * Lines at the end of a file, from several threads: a line is one call, and such calls do not mix.
 *
 * @module
 */
import { builtin } from '../../os/builtin.js'

export class TraceFile {
  readonly #path: string
  readonly #fd: number
  #isBroken = false

  /** @throws the system's error: the file cannot be opened */
  constructor(path: string) {
    this.#path = path
    this.#fd = builtin('node:fs').openSync(path, 'a', 0o600)
  }

  /**
   * Adds a line. Where that fails, as on a full disk, a warning says so, and the trace ends there: the guest
   * is served none the less.
   */
  add(line: string): void {
    if (this.#isBroken) return
    try {
      builtin('node:fs').writeSync(this.#fd, `${line}\n`)
    } catch (error) {
      this.#isBroken = true
      process.emitWarning(`The trace '${this.#path}' ends here: ${(error as Error).message}`)
    }
  }

  close(): void {
    builtin('node:fs').closeSync(this.#fd)
  }
}
