/**
 * Keeping a number of works in flight.
 *
 * @module
 */
import type { Spans } from './measure.js'

/** Reading the clock takes 50 ns: it is read at each so many ends, which is 3 ns for each. */
const endsPerLook = 16

/**
 * Runs works so that always `count` of them are in flight: whenever one ends, its place is taken by
 * the next. Gives how many end in a second.
 */
export async function throughput(
  count: number,
  { warmUpMs, measuredMs }: Spans,
  start: (index: number) => PromiseLike<unknown>,
): Promise<number> {
  let [started, ended, endedBefore] = [0, 0, 0]
  let from = performance.now()
  let perSecond: number | null = null
  let warm = false
  const look = (): void => {
    const now = performance.now()
    if (!warm && now - from >= warmUpMs) {
      warm = true
      endedBefore = ended
      from = now
    } else if (warm && perSecond === null && now - from >= measuredMs) {
      perSecond = ((ended - endedBefore) / (now - from)) * 1000
    }
  }
  const place = async (): Promise<void> => {
    while (perSecond === null) {
      await start(started++)
      if (++ended % endsPerLook === 0) look()
    }
  }
  await Promise.all(Array.from({ length: count }, place))
  return perSecond ?? Number.NaN
}
