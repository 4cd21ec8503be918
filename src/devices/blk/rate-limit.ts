/**
 * How much a disk may do in a second, over all its threads.
 *
 * A bucket is the time at which all that was let through so far is paid for, at the rate that is
 * allowed. Whoever comes moves it on by his own cost, and waits until it is not further ahead than a
 * short burst. So each is given his turn when he comes, and no thread keeps a queue.
 *
 * | word  | meaning                                                                              |
 * | ----- | ------------------------------------------------------------------------------------ |
 * | paid  | that time in microseconds, modulo 2^32                                               |
 * | since | the second of the last change: tells a time long past from one that is yet to come   |
 *
 * `paid` is moved by `replace`, and `since` written after it: who still sees an old second sees at worst
 * a bucket that is full again, once.
 *
 * @module
 */
import * as memory from '#memory'
import { microseconds, now } from '../../os/clock.js'
import { bytesBucket, requestsBucket } from './disk-words.js'

/** What goes through at once after a pause, as time at the full rate: microseconds. */
const burstUs = 20_000
/** No request waits longer than this, however much it costs: below half of what the word can tell. */
const longestUs = 2 ** 30
/** After a pause of so many seconds a bucket is full. */
const staleAfter = 1200

/** One thread's side of a bucket. */
class Bucket {
  readonly #words: memory.Words
  readonly #at: number
  readonly #usPerUnit: number
  /** Parts of a microsecond that are not in the word yet. */
  #rest = 0

  constructor(words: memory.Words, at: number, perSecond: number) {
    this.#words = words
    this.#at = at
    this.#usPerUnit = 1e6 / perSecond
  }

  /** Takes out so much. @returns how many microseconds the taker has to wait */
  take(units: number): number {
    const cost = Math.min(units * this.#usPerUnit + this.#rest, longestUs)
    const whole = Math.floor(cost)
    this.#rest = cost - whole
    const second = Math.floor(now() / 1000) | 0
    for (;;) {
      const at = microseconds()
      const paid = memory.load(this.#words, this.#at)
      const isStale = second - memory.load(this.#words, this.#at + 1) > staleAfter
      const ahead = isStale ? 0 : Math.max(0, (paid - at) | 0)
      const next = (at + Math.min(ahead + whole, longestUs)) | 0
      if (!memory.replace(this.#words, this.#at, paid, next)) continue
      memory.store(this.#words, this.#at + 1, second)
      return Math.max(0, ahead - burstUs)
    }
  }
}

/** The limits of a disk, for one of its threads. */
export class RateLimit {
  readonly #bytes: Bucket | null
  readonly #requests: Bucket | null

  /** @param limits - in a second; null is no limit */
  constructor(words: memory.Words, limits: { bps: number | null; iops: number | null }) {
    this.#bytes = limits.bps === null ? null : new Bucket(words, bytesBucket, limits.bps)
    this.#requests = limits.iops === null ? null : new Bucket(words, requestsBucket, limits.iops)
  }

  /** A request comes. @returns how many milliseconds it has to wait */
  take(bytes: number): number {
    const forBytes = this.#bytes?.take(bytes) ?? 0
    const forOne = this.#requests?.take(1) ?? 0
    return Math.max(forBytes, forOne) / 1000
  }
}
