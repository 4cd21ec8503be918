/**
 * What is the same with piscina and with tinypool, which began as a copy of it: a work is run by its
 * handler's name.
 *
 * @module
 */
import type { Pool } from './pool.js'

/** A pool of one of the two packages. */
export interface RunPool {
  readonly threads: readonly unknown[]
  run(value: unknown, options: { name: string; signal?: AbortSignal }): Promise<unknown>
}

export function poolOf(pool: RunPool): Pool {
  const add = { name: 'add' }
  return {
    hasKeys: false,
    add: (a, b, options) =>
      pool.run({ a, b }, options?.signal ? { name: 'add', signal: options.signal } : add),
    run: (name, value) => pool.run(value, { name }),
    workers: () => pool.threads.length,
  }
}
