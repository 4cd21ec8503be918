/**
 * More works than workers: a slow one amid tiny ones, and many queued at once.
 *
 * @module
 */
import { spreadOf } from '../../rounds.js'
import { median } from '../figures.js'
import { single, type Figures, type Measure, type Subject } from '../measure.js'
import type { Pool } from '../pools/pool.js'

const busyMs = 50
const tinyWorks = 100

/** Works on both workers, until their code is compiled. */
async function warmUp(pool: Pool, ms: number): Promise<void> {
  const end = performance.now() + ms
  while (performance.now() < end)
    await Promise.all(Array.from({ length: tinyWorks }, (_, index) => pool.add(index, 1)))
}

/** A slow work is submitted, and tiny ones right behind it: how long do these take? */
async function amid({ open, workers, spans }: Subject): Promise<number> {
  const pool = await open({ workers, overlapping: false })
  await pool.run('busy', 1)
  await warmUp(pool, spans.warmUpMs)
  const samples: number[] = []
  const end = performance.now() + spans.measuredMs
  while (performance.now() < end) {
    const before = performance.now()
    const busy = pool.run('busy', busyMs)
    const tiny = Array.from({ length: tinyWorks }, async (_, index) => {
      await pool.add(index, 1)
      samples.push(performance.now() - before)
    })
    await Promise.all([busy, ...tiny])
  }
  return spreadOf(samples).p99
}

const queued =
  (count: number, times: number) =>
  async ({ open, workers, spans }: Subject): Promise<Figures> => {
    const pool = await open({ workers, overlapping: false })
    await warmUp(pool, spans.warmUpMs)
    const each: number[] = []
    for (let time = 0; time < times; time++) {
      const before = performance.now()
      const works = Array.from<PromiseLike<unknown>>({ length: count })
      for (let index = 0; index < count; index++) works[index] = pool.add(index, 1)
      await Promise.all(works)
      each.push(((performance.now() - before) * 1e6) / count)
    }
    // Of the process, in kilobytes.
    return { each: median(each), peak: process.resourceUsage().maxRSS / 1024 }
  }

function queuedAtOnce(
  name: string,
  count: number,
  times: number,
  more: Partial<Measure> = {},
): Measure {
  return {
    name,
    cases: [
      { name, unit: 'ns', figure: 'each' },
      { name: `${name}-rss`, unit: 'MB', figure: 'peak' },
    ],
    workers: 2,
    limits: ['postMessage'],
    sample: queued(count, times),
    ...more,
  }
}

export const backlogs: readonly Measure[] = [
  single('busy-amid-tiny', 'ms', amid, { workers: 2 }),
  queuedAtOnce('queued-10k', 10_000, 5),
  queuedAtOnce('queued-1m', 1_000_000, 1, {
    // The quicker peers need half a minute of a quiet machine.
    deadlineMs: { full: 90_000, quick: 8000 },
    mostRounds: 3,
  }),
]
