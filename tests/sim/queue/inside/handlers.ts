/**
 * The handlers of the simulated queues. Each gets its work's number first.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout } from 'node:timers'
import { carry, current, transfer } from '../../../../src/wq/current.js'
import type { SimulatedThread } from './simulated.js'

declare const simulated: SimulatedThread

const store = new AsyncLocalStorage<string>()
carry('store', store)

/** Tells the model of the handler's call and end. */
function told<Args extends unknown[], Result>(
  run: (...args: Args) => Result,
): (id: number, ...args: Args) => Result {
  const returned = (id: number): void => simulated.ended(id, 'returned')
  const threw = (id: number): void => simulated.ended(id, 'threw')
  return (id, ...args) => {
    simulated.began(id, store.getStore())
    let result: Result
    try {
      result = run(...args)
    } catch (error) {
      threw(id)
      throw error
    }
    if (!(result instanceof Promise)) {
      returned(id)
      return result
    }
    return result.then(
      (value: unknown) => {
        returned(id)
        return value
      },
      (error: unknown) => {
        threw(id)
        throw error
      },
    ) as Result
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

export function setup(): void {
  if (simulated.isUnfit()) throw new Error('This module does not load')
}

export const add = told((one: number, other: number) => one + other)

export const echo = told((value: unknown) => value)

export const wait = told(async (ms: number, value: unknown) => {
  await pause(ms)
  return value
})

/** Ends when it is told to. */
export const attend = told(async (ms: number) => {
  const { signal } = current()
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    setTimeout(resolve, ms)
  })
  signal.throwIfAborted()
  return ms
})

/** Never awaits; its checkpoints throw when it is told to end. */
export const spin = told((rounds: number) => {
  const work = current()
  for (let round = 0; round < rounds; round++) work.checkpoint()
  return rounds
})

export const fail = told(() => {
  throw new Error('as asked')
})

/** Ends the thread. */
export const leave = told(() => {
  simulated.fault('a handler leaves')
  process.exit(7)
})

/** An error that nobody catches ends the thread. */
export const crash = told(async (ms: number) => {
  setTimeout(() => {
    simulated.fault('a handler crashes')
    throw new Error('nobody catches this')
  }, ms)
  await pause(ms + 10_000)
})

export const move = told((bytes: Uint8Array<ArrayBuffer>) => transfer(bytes, [bytes.buffer]))

export const block = told((ms: number) => {
  current().blocking(() => simulated.block(ms))
  return ms
})

export const tell = told((count: number) => {
  for (let each = 0; each < count; each++) current().progress(each)
  return count
})

/** For broadcasts: is no work. */
export const count = (): number => 1
