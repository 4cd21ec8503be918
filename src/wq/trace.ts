/**
 * What happens to works, for whoever listens: channels of `node:diagnostics_channel` (KT-27).
 *
 * | channel                    | published in        | when                                    | message          |
 * | -------------------------- | ------------------- | --------------------------------------- | ---------------- |
 * | `userworker:queue`         | the queue's thread  | the work was taken into the queue       | `{ queue, work }` |
 * | `userworker:execute-start` | the worker's thread | right before its handler is called      | `{ work }`       |
 * | `userworker:execute-end`   | the worker's thread | its handler has returned, or has thrown | `{ work }`       |
 *
 * Channels are Node's, one set for each thread: who listens in a worker's thread subscribes there, in
 * the handlers' module, say.
 *
 * @module
 */
import { channel, type Channel } from 'node:diagnostics_channel'

const channels: Readonly<Record<'queue' | 'execute-start' | 'execute-end', Channel>> = {
  queue: channel('userworker:queue'),
  'execute-start': channel('userworker:execute-start'),
  'execute-end': channel('userworker:execute-end'),
}

/** Tells the listeners, if there are any. */
export function trace(event: keyof typeof channels, message: object): void {
  if (channels[event].hasSubscribers) channels[event].publish(message)
}
