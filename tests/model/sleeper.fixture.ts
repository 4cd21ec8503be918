/**
 * A worker's function that sleeps until it is stopped, then sends the trace of its own thread to the port
 * it was given, if any. Its exit code is 7.
 *
 * @module
 */
import type { MessagePort } from 'node:worker_threads'
import type { Self } from 'userworker'
import { steps } from './trace.js'

export default async function sleeper(port: MessagePort | undefined, self: Self): Promise<number> {
  while (!self.shouldStop()) await self.sleep(60_000)
  port?.postMessage(steps)
  return 7
}
