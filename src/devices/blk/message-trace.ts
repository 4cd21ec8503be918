/**
 * A line of JSON about each message of one device's frontend, at the end of the file that has its
 * requests (`request-trace.ts`).
 *
 * @module
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { messageChannel, type TracedMessage } from '../../vhost/index.js'
import { elapsedMs, TraceFile } from './trace-file.js'

/**
 * Begins to write.
 *
 * @param socket - of the device
 * @throws the system's error: the file cannot be opened
 */
export function traceMessages(file: string, socket: string): { close(): void } {
  const trace = new TraceFile(file)
  const note = (given: unknown): void => {
    const message = given as TracedMessage
    if (message.socket !== socket) return
    const { direction, from, request, isReply, payload, descriptors } = message
    const ms = elapsedMs()
    trace.add({ kind: 'message', ms, direction, from, request, isReply, payload, descriptors })
  }
  subscribe(messageChannel, note)
  return {
    close: () => {
      unsubscribe(messageChannel, note)
      trace.close()
    },
  }
}
