/**
 * Looks at a disk once a second: what it has to do, and whether its file has grown; and listens for the
 * signals that end it.
 *
 * @module
 */
import { every, keepAlive, now } from '../../os/clock.js'
import type { ServedDisk } from './disk.js'
import { sizeOf } from './image.js'
import { rateLine } from './meter.js'
import { shownBytes } from './numbers.js'

const lookMs = 1000
const sectorBytes = 512
/** SIGHUP: the terminal went away. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Someone who looks. */
export interface Watch {
  /** Aborted by the signal that ends it. */
  readonly signal: AbortSignal
  /** Resolves with that. */
  readonly ended: Promise<void>
  close(): void
}

/**
 * Begins to look.
 *
 * @param how - `isQuiet`: nothing is shown; `mayGrow`: the disk is as large as its file
 */
export function watchOver(
  disk: ServedDisk,
  file: string,
  how: { readonly isQuiet: boolean; readonly mayGrow: boolean },
): Watch {
  const abort = new AbortController()
  const ended = new Promise<void>((resolve) => {
    abort.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  const end = (): void => abort.abort()
  for (const name of signals) process.on(name, end)
  const screen = new Screen(how.isQuiet)
  let size = sizeOf(file)
  let counts = disk.stats()
  let time = now()
  const look = (): void => {
    const [countsNow, timeNow] = [disk.stats(), now()]
    screen.status(rateLine(counts, countsNow, timeNow - time))
    counts = countsNow
    time = timeNow
    const sizeNow = how.mayGrow ? sizeOf(file) : null
    if (size === null || sizeNow === null || sizeNow <= size || sizeNow % sectorBytes !== 0) return
    size = sizeNow
    Promise.resolve(disk.resize(sizeNow)).then(
      () => screen.line(`The disk has grown to ${shownBytes(sizeNow)}.`),
      (error: unknown) => screen.line(`The disk could not grow: ${String(error)}`),
    )
  }
  const timers = [every(lookMs, look), keepAlive()]
  return {
    signal: abort.signal,
    ended,
    close() {
      for (const timer of timers) timer.cancel()
      screen.end()
      for (const name of signals) process.off(name, end)
    },
  }
}

/** Standard output: on a terminal with a line at its end that is always new. */
class Screen {
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
