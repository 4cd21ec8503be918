/**
 * What happens to workers, for whoever listens: channels of `node:diagnostics_channel` (KT-27). A
 * channel without a listener costs one test of a property.
 *
 * | channel               | published                                       | message            |
 * | --------------------- | ----------------------------------------------- | ------------------ |
 * | `userworker:create`   | the worker is there, its function not called    | `{ worker }`       |
 * | `userworker:start`    | its function was entered                        | `{ worker }`       |
 * | `userworker:park`     | it stands still                                 | `{ worker }`       |
 * | `userworker:unpark`   | it was told to go on                            | `{ worker }`       |
 * | `userworker:freeze`   | its `freeze` is about to resolve                | `{ worker }`       |
 * | `userworker:thaw`     | it was frozen itself, and told to go on         | `{ worker }`       |
 * | `userworker:stop`     | on entry of `stop`                              | `{ worker }`       |
 * | `userworker:stop-ret` | just before the promise of that `stop` resolves | `{ worker, code }` |
 * | `userworker:kill`     | on entry of `kill`                              | `{ worker }`       |
 * | `userworker:exit`     | its thread is gone                              | `{ worker, code, error }` |
 *
 * @module
 */
import { channel, type Channel } from 'node:diagnostics_channel'

/** What happened; the channel is called `userworker:` and this. */
type TraceEvent =
  | 'create'
  | 'start'
  | 'park'
  | 'unpark'
  | 'freeze'
  | 'thaw'
  | 'stop'
  | 'stop-ret'
  | 'kill'
  | 'exit'

/** What a channel's listeners get, of workers of this type. */
export interface Traced<Worker> {
  readonly worker: Worker
  /** The exit code, with `stop-ret` and `exit`. */
  readonly code?: number
  /** Why it ended, where that was an error, with `exit`. */
  readonly error?: Error | null
}

const channels: Readonly<Record<TraceEvent, Channel>> = {
  create: channel('userworker:create'),
  start: channel('userworker:start'),
  park: channel('userworker:park'),
  unpark: channel('userworker:unpark'),
  freeze: channel('userworker:freeze'),
  thaw: channel('userworker:thaw'),
  stop: channel('userworker:stop'),
  'stop-ret': channel('userworker:stop-ret'),
  kill: channel('userworker:kill'),
  exit: channel('userworker:exit'),
}

/** Tells the listeners, if there are any. */
export function trace<Worker>(event: TraceEvent, message: Traced<Worker>): void {
  if (channels[event].hasSubscribers) channels[event].publish(message)
}
