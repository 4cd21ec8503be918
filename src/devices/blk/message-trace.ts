/**
 * A line of JSON about each message of one device's frontend, at the end of the file that has its
 * requests (`request-trace.ts`).
 *
 * @module
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { elapsedMs } from './request-trace.js'
import { TraceFile } from './trace-file.js'
import type { TracedMessage } from '../../vhost/index.js'

const channel = 'userworker:vhost-message'

/**
 * Begins to write.
 *
 * @param socket - of the device
 * @throws the system's error: the file cannot be opened
 */
export function traceMessages(file: string, socket: string): { close(): void } {
  const lines = new TraceFile(file)
  const note = (given: unknown): void => {
    const message = given as TracedMessage
    if (message.socket !== socket) return
    const { direction, from, request, isReply, payload, descriptors } = message
    const ms = elapsedMs()
    const line = { kind: 'message', ms, direction, from, request, isReply, payload, descriptors }
    lines.add(JSON.stringify(line, inJson))
  }
  subscribe(channel, note)
  return {
    close: () => {
      unsubscribe(channel, note)
      lines.close()
    },
  }
}

/** Bits and addresses of 64 bits, and bytes, as hexadecimal digits. */
function inJson(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}
