/**
 * One queue from the beginning to the end: all that can be asked of a queue but the death of its threads.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { adding } from './adding.js'
import { oneOf, pause, queueOf, type Actor, type Queue, type Stage } from './actor.js'

const [batch, keys] = [40, 4]
/** More works of a batch with one payload do not come by chance. */
const mostAlike = 8
const bounded = 2
/** Works that are told to end do so by themselves: this is only for those that would not. */
const killAfterMs = 60_000

const cyclic: unknown[] = []
cyclic.push(cyclic)

/** One for each way that a value can take. */
const payloads: readonly (() => unknown)[] = [
  () => 'short',
  () => 'long '.repeat(2000),
  () => 'é'.repeat(300),
  () => 1.5,
  () => undefined,
  () => ({ list: [1, 'two', null, { three: true }] }),
  () => Array.from({ length: 3000 }, (_, at) => ({ at })),
  () => new Uint8Array(64).fill(7),
  () => new Uint8Array(50_000).fill(7),
  () => new Uint8Array(2 ** 20).fill(7),
  () => new Map([['a', new Set([1n])]]),
  () => new Date(0),
  () => cyclic,
]

type Deed = (steady: Steady) => Promise<unknown>

export class Steady implements Actor {
  readonly name = 'steady'
  readonly #stage: Stage
  readonly #queue: Queue
  #isPrimed = false
  readonly #lines = Array.from({ length: keys }, () => ({
    words: new Int32Array(new SharedArrayBuffer(8)),
    next: 1,
  }))

  constructor(stage: Stage) {
    this.#stage = stage
    this.#queue = queueOf(stage.ledger, {
      name: 'steady',
      maxWorkers: { bounded, unbounded: 1 },
      minWorkers: bounded,
      idleTimeoutMs: Infinity,
      recycle: { works: 20_000 },
    })
  }

  async turn(): Promise<void> {
    const { dice } = this.#stage
    const works = Array.from({ length: batch }, () => oneOf(dice, deeds)(this))
    if (dice(8) === 0) works.push(this.#standStill())
    if (dice(8) === 0) works.push(this.#stage.ledger.step('flush', () => this.#queue.flush()))
    await Promise.all(works)
  }

  async rest(): Promise<void> {
    const { ledger } = this.#stage
    // Shared memory for values grows with the most that is under way, which is now, and not by chance.
    if (!this.#isPrimed) {
      const most = Array.from({ length: mostAlike }, () => payloads).flat()
      await Promise.all(most.map((payload) => this.echo(payload)))
      this.#isPrimed = true
    }
    await ledger.step('ready', () => this.#queue.ready())
    // So that both classes have their workers, and each of them has freed what it can.
    await adding(this.#stage, this.#queue, 'add, unbounded', { unbounded: true })
    await ledger.step('broadcast', () => this.#queue.broadcast('collect'))
    // A stream that was left is told to end, and nobody waits for that.
    await ledger.step('flush', () => this.#queue.flush())
    ledger.check(this.name, this.#queue)
  }

  async close(): Promise<void> {
    await this.#stage.ledger.close(this.name, this.#queue)
  }

  readonly add = (): Promise<unknown> => {
    const { dice } = this.#stage
    const priority = oneOf(dice, ['high', 'normal', 'low'] as const)
    return adding(this.#stage, this.#queue, 'add', { priority, unbounded: dice(4) === 0 })
  }

  readonly echo = (payload = oneOf(this.#stage.dice, payloads)): Promise<unknown> => {
    const value = payload()
    return this.#stage.ledger.work('echo', (at) => this.#queue.run('echo', [at, value]), {
      value: (back) => isDeepStrictEqual(back, value),
    })
  }

  readonly move = (): Promise<unknown> => {
    const bytes = new Uint8Array(1 + this.#stage.dice(100_000)).fill(7)
    const { length } = bytes
    const transfer = [bytes.buffer]
    const submit = (place: number): Promise<Uint8Array> =>
      this.#queue.run('move', [place, bytes], { transfer })
    const value = (back: Uint8Array): boolean =>
      back.length === length && bytes.length === 0 && back.every((byte) => byte === 8)
    return this.#stage.ledger.work('move', submit, { value })
  }

  readonly hold = (): Promise<unknown> => {
    const [ms, blocks] = [this.#stage.dice(4), this.#stage.dice(2) === 0]
    const submit = (place: number): Promise<string> => this.#queue.run('hold', [place, ms, blocks])
    return this.#stage.ledger.work('hold', submit, { value: (held) => held === 'held' })
  }

  readonly inLine = (): Promise<unknown> => {
    const key = this.#stage.dice(keys)
    const line = this.#lines[key] as { words: Int32Array; next: number }
    const number = line.next++
    return this.#stage.ledger.work(
      'key',
      (place) => this.#queue.run('inLine', [place, line.words, number], { key }),
      { value: (said) => said === 'in order' },
    )
  }

  readonly fail = (): Promise<unknown> =>
    this.#stage.ledger.work('fail', (place) => this.#queue.run('fail', [place]), {
      errors: ['as asked'],
    })

  readonly steps = (): Promise<unknown> => {
    const count = 1 + this.#stage.dice(20)
    const seen: unknown[] = []
    const onProgress = (step: unknown): number => seen.push(step)
    const submit = (place: number): Promise<number> =>
      this.#queue.run('steps', [place, count], { onProgress })
    const value = (told: number): boolean =>
      told === count && seen.length === count && seen.every((step, at) => step === at + 1)
    return this.#stage.ledger.work('progress', submit, { value })
  }

  readonly stream = (): Promise<unknown> => {
    const count = 1 + this.#stage.dice(60)
    const most = this.#stage.dice(2) === 0 ? count : this.#stage.dice(count)
    const submit = async (place: number): Promise<number> => {
      let next = 0
      for await (const item of this.#queue.stream('items', [place, count])) {
        if (item !== next++) return -1
        if (next > most) break
      }
      return next
    }
    return this.#stage.ledger.work('stream', submit, {
      value: (taken) => taken === Math.min(count, most + 1),
    })
  }

  readonly map = (): Promise<unknown> => {
    const { ledger, dice } = this.#stage
    const add = dice(1000)
    // The begins of its works are not counted one by one.
    const inputs = Array.from({ length: 10 }, (_, at): [number, number, number] => [-1, at, add])
    const submit = async (): Promise<number[]> => {
      const results: number[] = []
      for await (const sum of this.#queue.map('add', inputs, { concurrency: 4 })) results.push(sum)
      return results
    }
    const value = (sums: number[]): boolean => sums.every((sum, at) => sum === at + add)
    return ledger.work('map', submit, { value })
  }

  readonly cancel = async (): Promise<void> => {
    const { ledger, dice } = this.#stage
    const wait = dice(6)
    let canceled: string | null = null
    await ledger.work(
      'cancel',
      async (place) => {
        const options = { unbounded: true, killAfterMs }
        const work = this.#queue.enqueue('rest', [place, 60_000], options)
        work.result.catch(() => {})
        await pause(wait)
        canceled = work.cancel()
        return await work.result
      },
      { value: (said) => said === 'told' && canceled === 'running', errors: ['ECANCELED'] },
    )
  }

  readonly abort = (): Promise<unknown> => {
    const { ledger, dice } = this.#stage
    const [controller, wait] = [new AbortController(), dice(6)]
    const { signal } = controller
    const submit = (place: number): Promise<string> => {
      setTimeout(() => controller.abort(), wait)
      const options = { unbounded: true, signal, killAfterMs }
      return this.#queue.run('rest', [place, 60_000], options)
    }
    return ledger.work('abort', submit, { errors: ['ABORT_ERR'] })
  }

  readonly timeOut = (): Promise<unknown> => {
    const options = { unbounded: true, timeoutMs: 1 + this.#stage.dice(6), killAfterMs }
    return this.#stage.ledger.work(
      'time-out',
      (place) => this.#queue.run('rest', [place, 60_000], options),
      { errors: ['ETIME'] },
    )
  }

  readonly after = async (): Promise<void> => {
    const { ledger, dice } = this.#stage
    const name = oneOf(dice, ['fail', 'add'] as const)
    const isDone = name === 'add'
    const last: Promise<unknown>[] = []
    await ledger.work(
      'before',
      (place) => {
        const before = this.#queue.enqueue(name, [place, 1, 1] as [number, number, number])
        const errors = isDone ? [] : ['ECANCELED']
        last.push(adding(this.#stage, this.#queue, 'after', { after: before }, errors))
        return before.result
      },
      isDone ? { value: (sum) => sum === 2 } : { errors: ['as asked'] },
    )
    await Promise.all(last)
  }

  async #standStill(): Promise<void> {
    const { ledger, dice } = this.#stage
    const at = oneOf(dice, ['work', 'anywhere'] as const)
    // It may be thawed before all stand, and says who did not.
    const frozen = ledger.step('freeze', () => this.#queue.freeze({ at, deadlineMs: 100 }))
    await pause(dice(30))
    this.#queue.thaw()
    await frozen
  }
}

const deeds: readonly Deed[] = [
  (steady) => steady.add(),
  (steady) => steady.add(),
  (steady) => steady.add(),
  (steady) => steady.echo(),
  (steady) => steady.echo(),
  (steady) => steady.move(),
  (steady) => steady.hold(),
  (steady) => steady.inLine(),
  (steady) => steady.inLine(),
  (steady) => steady.fail(),
  (steady) => steady.steps(),
  (steady) => steady.stream(),
  (steady) => steady.map(),
  (steady) => steady.cancel(),
  (steady) => steady.abort(),
  (steady) => steady.timeOut(),
  (steady) => steady.after(),
]
