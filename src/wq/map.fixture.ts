/**
 * Works and inputs whose every step the test decides or sees.
 *
 * @module
 */
import { nextTurn } from '../os/clock.js'

/** Works that end when the test says so. */
export class Works {
  readonly started: number[] = []
  readonly signals: AbortSignal[] = []
  readonly #settlers = new Map<number, PromiseWithResolversOf<string>>()

  readonly run = (input: number, signal: AbortSignal): Promise<string> => {
    this.started.push(input)
    this.signals.push(signal)
    return new Promise((resolve, reject) => {
      this.#settlers.set(input, { resolve, reject })
    })
  }

  get unsettled(): number[] {
    return [...this.#settlers.keys()]
  }

  async finish(...inputs: number[]): Promise<void> {
    for (const input of inputs) {
      this.#settlers.get(input)?.resolve(`r${input}`)
      this.#settlers.delete(input)
      await nextTurn()
    }
  }

  async fail(input: number, error: unknown): Promise<void> {
    this.#settlers.get(input)?.reject(error)
    this.#settlers.delete(input)
    await nextTurn()
  }
}

interface PromiseWithResolversOf<T> {
  resolve(value: T): void
  reject(error: unknown): void
}

export const numbers = (count: number): number[] =>
  Array.from({ length: count }, (_, index) => index)

/** Inputs that note what is asked of them. */
export function noted(count: number, kind: 'sync' | 'async' = 'sync') {
  const log: string[] = []
  let next = 0
  const pull = (): IteratorResult<number> => {
    log.push('next')
    return next < count ? { done: false, value: next++ } : { done: true, value: undefined }
  }
  const end = (): IteratorResult<number> => {
    log.push('return')
    return { done: true, value: undefined }
  }
  const inputs: Iterable<number> | AsyncIterable<number> =
    kind === 'sync'
      ? { [Symbol.iterator]: () => ({ next: pull, return: end }) }
      : { [Symbol.asyncIterator]: () => ({ next: async () => pull(), return: async () => end() }) }
  return { inputs, log }
}
