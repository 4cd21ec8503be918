/**
 * Looks at a disk once a second: what it has to do, and whether its file has grown; and listens for the
 * signals that end it.
 *
 * @module
 */
import { every, keepAlive, now } from '../../os/clock.js'
import type { ServedDisk } from '../../devices/index.js'
import { printable } from '../terminal/index.js'
import { sizeOf } from './image.js'
import { rateLine } from './meter.js'
import { shownBytes } from './numbers.js'
import { Screen } from './screen.js'

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
  listen(disk, (text) => screen.line(printable(text)))
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
    disk.resize(sizeNow)
    screen.line(`The disk has grown to ${shownBytes(sizeNow)}.`)
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

/** Says what becomes of frontends and queues. */
function listen({ device }: ServedDisk, say: (text: string) => void): void {
  device.on('connect', () => say('A frontend is connected.'))
  device.on('disconnect', (reason) => say(reason ?? 'The frontend has gone.'))
  device.on('refuse', () =>
    say('Another frontend came, and was turned away: there is one already.'),
  )
  device.on('broken', (queue, { message }) => say(`Queue ${queue} is broken: ${message}`))
  device.on('problem', ({ message }) => say(message))
}
