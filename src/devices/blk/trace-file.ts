/**
 * A file that gets lines of JSON at its end. All threads write to the same one: a line is one call, and
 * such calls do not mix.
 *
 * @module
 */
import { builtin } from '../../os/builtin.js'
import { now } from '../../os/clock.js'

/** When a line was written: on a clock that is the same for all of this process, to a microsecond. */
export const elapsedMs = (): number => Math.round(now() * 1000) / 1000

export class TraceFile {
  readonly #file: string
  #fd: number | null

  /** @throws the system's error: the file cannot be opened */
  constructor(file: string) {
    this.#file = file
    this.#fd = builtin('node:fs').openSync(file, 'a', 0o600)
  }

  /** Adds a line. A file that takes no more, as its disk is full, gets none from then on: nothing else ends. */
  add(line: object): void {
    if (this.#fd === null) return
    try {
      builtin('node:fs').writeSync(this.#fd, `${JSON.stringify(line, inJson)}\n`)
    } catch (error) {
      this.close()
      const { code } = error as NodeJS.ErrnoException
      process.emitWarning(`The trace '${this.#file}' ends here: it cannot be written (${code})`, {
        code: 'USERWORKER_TRACE',
      })
    }
  }

  close(): void {
    if (this.#fd !== null) builtin('node:fs').closeSync(this.#fd)
    this.#fd = null
  }
}

/** Bits and addresses of 64 bits, and bytes, as hexadecimal digits. */
function inJson(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}
