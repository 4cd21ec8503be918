/**
 * The limit of pools that send messages: bare threads in turn, an id for each work, and nothing
 * else.
 *
 * @module
 */
import { Worker } from 'node:worker_threads'
import { threadFile, type Open } from './pool.js'

/** What a bare thread answers. */
export interface Answer {
  readonly id: number
  readonly result: unknown
}

export const openPostMessage: Open = async ({ workers: count }) => {
  const waiting = new Map<number, (result: unknown) => void>()
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(threadFile('post-message'))
    worker.on('message', ({ id, result }: Answer) => {
      const resolve = waiting.get(id)
      waiting.delete(id)
      resolve?.(result)
    })
    return worker
  })
  let lastId = 0
  const send = (name: string, values: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve) => {
      const id = ++lastId
      waiting.set(id, resolve)
      workers[id % count]?.postMessage({ id, name, values })
    })
  return {
    hasKeys: false,
    add: (a, b) => send('add', [a, b]),
    run: (name, value) => send(name, [value]),
    workers: () => workers.length,
  }
}
