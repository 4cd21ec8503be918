/**
 * How much a disk has to do, second by second.
 *
 * @module
 */
import type { DiskStats } from '../../devices/index.js'

const requests = ['reads', 'writes', 'flushes', 'discards', 'zeroes'] as const
const round = 2 ** 32

/** What was done between two looks, so many milliseconds apart. */
export function rateLine(before: DiskStats, now: DiskStats, ms: number): string {
  const done = requests.map((kind) => (now[kind] - before[kind] + round) % round)
  const count = done.reduce((sum, each) => sum + each, 0)
  const perSecond = (value: number): number => (value / ms) * 1000
  const megabytes = (what: 'bytesRead' | 'bytesWritten'): string =>
    (perSecond(now[what] - before[what]) / 1e6).toFixed(1)
  return [
    `${Math.round(perSecond(count)).toLocaleString('en')} IOPS`,
    `${megabytes('bytesRead')} MB/s read`,
    `${megabytes('bytesWritten')} MB/s written`,
  ].join(', ')
}
