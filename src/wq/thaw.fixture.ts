/**
 * Handlers whose worker has a queue of its own, or stands in a system call.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { WorkQueue } from './queue.js'

export { awaited, echo } from './gates.fixture.js'

/** Once let go, runs a work in a queue of this thread, and says that it waits for it. */
export async function nested(gate: Int32Array, asked: Int32Array): Promise<unknown> {
  while (Atomics.load(gate, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  const inner = new WorkQueue(new URL(import.meta.url))
  const work = inner.run('echo', [7])
  Atomics.store(asked, 0, 1)
  try {
    return await work
  } finally {
    await inner.close()
  }
}

/** Stands in a system call until somebody opens the file for writing. */
export function reading(fifo: string, begun: Int32Array): void {
  Atomics.store(begun, 0, 1)
  readFileSync(fifo)
}
