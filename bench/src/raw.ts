/**
 * Bare threads, as a program has them that uses no library.
 *
 * @module
 */
import { Worker } from 'node:worker_threads'

/** The module of a thread in the folder `threads`. */
export function thread(name: string): URL {
  return new URL(`threads/${name}.js`, import.meta.url)
}

/** Resolves when a bare thread does something for the first time. */
export function first(worker: Worker, event: 'online' | 'message' | 'exit'): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once(event, () => resolve())
  })
}

/** A bare thread whose module is loaded. */
export async function startRaw(name: string, data?: unknown): Promise<Worker> {
  const worker = new Worker(thread(name), { workerData: data })
  await first(worker, 'message')
  return worker
}
