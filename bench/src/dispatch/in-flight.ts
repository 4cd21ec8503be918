/**
 * Keeping a number of works in flight.
 *
 * @module
 */
import type { Spans } from './measure.js'

/** Reading the clock takes 50 ns: it is read at each so many ends, which is 3 ns for each. */
const endsPerLook = 16

/** Counts ends, and knows how many there are in a second when it has looked on for long enough. */
class Rate {
  perSecond: number | null = null
  readonly #spans: Spans
  #ended = 0
  #warm = false
  #endedBefore = 0
  #from = performance.now()

  constructor(spans: Spans) {
    this.#spans = spans
  }

  end(): void {
    if (++this.#ended % endsPerLook === 0) this.#look()
  }

  #look(): void {
    const now = performance.now()
    const passed = now - this.#from
    if (!this.#warm && passed >= this.#spans.warmUpMs) {
      this.#warm = true
      this.#endedBefore = this.#ended
      this.#from = now
    } else if (this.#warm && this.perSecond === null && passed >= this.#spans.measuredMs) {
      this.perSecond = ((this.#ended - this.#endedBefore) / passed) * 1000
    }
  }
}

/**
 * Runs works so that always `count` of them are in flight: whenever one ends, its place is taken by
 * the next. Gives how many end in a second.
 */
export async function throughput(
  count: number,
  spans: Spans,
  start: (index: number) => PromiseLike<unknown>,
): Promise<number> {
  const rate = new Rate(spans)
  let started = 0
  const place = async (): Promise<void> => {
    while (rate.perSecond === null) {
      await start(started++)
      rate.end()
    }
  }
  await Promise.all(Array.from({ length: count }, place))
  return rate.perSecond ?? Number.NaN
}
