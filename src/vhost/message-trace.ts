/**
 * All messages of vhost-user, for whoever listens: the channel `userworker:vhost-message` of
 * `node:diagnostics_channel`. Without a listener it costs one test of a property.
 *
 * @module
 */
import { channel } from 'node:diagnostics_channel'
import type { Side } from './message.js'

/** A message, as the channel's listeners get it. */
export interface TracedMessage {
  /** The path of the device's socket; empty at a frontend for tests. */
  readonly socket: string
  /** `in`: it was received; `out`: it was sent. */
  readonly direction: 'in' | 'out'
  /** Who asks; a reply goes the other way. */
  readonly from: Side
  /** The request, or that which is replied to: the specification's name. */
  readonly request: string
  /** Whether it is the reply to that request. */
  readonly isReply: boolean
  /** Decoded: null, a bigint, or an object. What it holds goes by the request. */
  readonly payload: unknown
  /** How many descriptors go along. */
  readonly descriptors: number
}

/** The channel's name. */
export const messageChannel = 'userworker:vhost-message'

const messages = channel(messageChannel)

/** Tells the listeners, if there are any. */
export function traceMessage(
  socket: string,
  direction: 'in' | 'out',
  from: Side,
  request: string,
  isReply: boolean,
  payload: unknown,
  descriptors: number,
): void {
  if (!messages.hasSubscribers) return
  messages.publish({
    socket,
    direction,
    from,
    request,
    isReply,
    payload,
    descriptors,
  } satisfies TracedMessage)
}
