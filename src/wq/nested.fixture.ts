/**
 * A handler with a queue of its own.
 *
 * @module
 */
import { WorkQueue } from './index.js'

/** Gives back what a worker of this thread's own queue gives back. */
export async function echoBelow(value: number): Promise<number> {
  const queue = new WorkQueue(null)
  try {
    return await queue.run((given: number) => given, [value])
  } finally {
    await queue.close()
  }
}
