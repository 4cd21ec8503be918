/**
 * Notifications of a virtqueue by index (EVENT_IDX): see `notifying.ts`.
 *
 * @module
 */
import type { Code, Protocol } from '../engine/protocol.js'
import { notifying } from './notifying.js'

export default function make(code: Code): Promise<Protocol> {
  return notifying(code, 'notify-index', true)
}
