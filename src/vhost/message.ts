/**
 * The messages of vhost-user as values: a header of 12 bytes, a payload, descriptors. Pure: nothing
 * here knows a socket. Whatever comes is either a message by the rules of its request, with all lengths
 * and counts as the request wants them, or a {@link ProtocolError}.
 *
 * Requests go both ways, each way with numbers of its own. Names are the specification's without
 * `VHOST_USER_` and `VHOST_USER_BACKEND_`.
 *
 * @module
 */
import {
  longestPayload,
  payloadCodecs,
  type PayloadCodec,
  type PayloadKind,
  type Payloads,
} from './payloads.js'
import { ProtocolError } from './protocol-error.js'

/** How many descriptors: so many; between two numbers; or as the payload says. */
type Count = number | readonly [number, number] | 'payload'

/**
 * The rules of a request: its number, its payload, the payload of its reply, the descriptors of both.
 * Without a payload of the reply there is one only where the sender asks for it: a u64, 0 for success.
 */
type Rule = readonly [
  number: number,
  payload: PayloadKind,
  reply: PayloadKind | null,
  descriptors: Count,
  replyDescriptors?: Count,
]

/** What the frontend asks for. */
export const frontendRequests = {
  GET_FEATURES: [1, 'nothing', 'u64', 0],
  SET_FEATURES: [2, 'u64', null, 0],
  SET_OWNER: [3, 'nothing', null, 0],
  RESET_OWNER: [4, 'nothing', null, 0],
  SET_MEM_TABLE: [5, 'memory', null, 'payload'],
  // Without LOG_SHMFD it would be a number that says nothing to another process.
  SET_LOG_BASE: [6, 'log', 'nothing', 1],
  SET_LOG_FD: [7, 'nothing', null, 1],
  SET_VRING_NUM: [8, 'state', null, 0],
  SET_VRING_ADDR: [9, 'address', null, 0],
  SET_VRING_BASE: [10, 'state', null, 0],
  GET_VRING_BASE: [11, 'state', 'state', 0],
  SET_VRING_KICK: [12, 'descriptor', null, 'payload'],
  SET_VRING_CALL: [13, 'descriptor', null, 'payload'],
  SET_VRING_ERR: [14, 'descriptor', null, 'payload'],
  GET_PROTOCOL_FEATURES: [15, 'nothing', 'u64', 0],
  SET_PROTOCOL_FEATURES: [16, 'u64', null, 0],
  GET_QUEUE_NUM: [17, 'nothing', 'u64', 0],
  SET_VRING_ENABLE: [18, 'state', null, 0],
  SEND_RARP: [19, 'u64', null, 0],
  NET_SET_MTU: [20, 'u64', null, 0],
  SET_BACKEND_REQ_FD: [21, 'nothing', null, 1],
  IOTLB_MSG: [22, 'iotlb', 'u64', 0],
  SET_VRING_ENDIAN: [23, 'state', null, 0],
  GET_CONFIG: [24, 'config', 'configAnswer', 0],
  SET_CONFIG: [25, 'config', null, 0],
  CREATE_CRYPTO_SESSION: [26, 'bytes', 'bytes', 0],
  CLOSE_CRYPTO_SESSION: [27, 'u64', null, 0],
  POSTCOPY_ADVISE: [28, 'nothing', 'u64', 0, [0, 1]],
  POSTCOPY_LISTEN: [29, 'nothing', null, 0],
  POSTCOPY_END: [30, 'nothing', 'u64', 0],
  GET_INFLIGHT_FD: [31, 'inflight', 'inflight', 0, [0, 1]],
  SET_INFLIGHT_FD: [32, 'inflight', null, 1],
  GPU_SET_SOCKET: [33, 'nothing', null, 1],
  RESET_DEVICE: [34, 'nothing', null, 0],
  VRING_KICK: [35, 'state', null, 0],
  GET_MAX_MEM_SLOTS: [36, 'nothing', 'u64', 0],
  ADD_MEM_REG: [37, 'region', null, 1],
  // Some frontends send a descriptor, against the specification, which allows to take it.
  REM_MEM_REG: [38, 'region', null, [0, 1]],
  SET_STATUS: [39, 'u64', null, 0],
  GET_STATUS: [40, 'nothing', 'u64', 0],
  GET_SHARED_OBJECT: [41, 'bytes', 'bytes', 0, [0, 1]],
  SET_DEVICE_STATE_FD: [42, 'transfer', 'u64', 1, [0, 1]],
  CHECK_DEVICE_STATE: [43, 'nothing', 'u64', 0],
  GET_SHMEM_CONFIG: [44, 'nothing', 'bytes', 0],
} as const satisfies Record<string, Rule>

/** What the backend asks for, on its own channel. */
export const backendRequests = {
  IOTLB_MSG: [1, 'iotlb', null, 0],
  CONFIG_CHANGE_MSG: [2, 'nothing', null, 0],
  VRING_HOST_NOTIFIER_MSG: [3, 'area', null, 'payload'],
  VRING_CALL: [4, 'state', null, 0],
  VRING_ERR: [5, 'state', null, 0],
  SHARED_OBJECT_ADD: [6, 'bytes', null, 0],
  SHARED_OBJECT_REMOVE: [7, 'bytes', null, 0],
  SHARED_OBJECT_LOOKUP: [8, 'bytes', null, [0, 1]],
  SHMEM_MAP: [9, 'bytes', null, [0, 1]],
  SHMEM_UNMAP: [10, 'bytes', null, 0],
} as const satisfies Record<string, Rule>

/** Who asks. */
export type Side = 'frontend' | 'backend'

/** The requests of a side, with their rules. */
export interface Requests {
  frontend: typeof frontendRequests
  backend: typeof backendRequests
}

export type RequestName<From extends Side = 'frontend'> = keyof Requests[From] & string

type Of<
  From extends Side,
  Name extends RequestName<From>,
> = Requests[From][Name] extends infer Row extends Rule ? Row : never

/** What a request carries. */
export type PayloadOf<Name extends RequestName<From>, From extends Side = 'frontend'> = Payloads[Of<
  From,
  Name
>[1]]

/** What its reply carries: where it has none of its own, 0 for success. */
export type ReplyOf<Name extends RequestName<From>, From extends Side = 'frontend'> = Of<
  From,
  Name
>[2] extends infer Kind extends PayloadKind
  ? Payloads[Kind]
  : bigint

/** A request, decoded. Compare `request` and `payload` has the type that belongs to it. */
export type Message<From extends Side = 'frontend'> = {
  [Name in RequestName<From>]: {
    readonly request: Name
    readonly payload: PayloadOf<Name, From>
    /** Whether a reply must be sent: each request of some kinds has one, others where it is asked for. */
    readonly needsReply: boolean
  }
}[RequestName<From>]

/** The first 12 bytes of a message. */
export interface Header {
  readonly number: number
  readonly isReply: boolean
  readonly needReply: boolean
  /** The length of the payload, in bytes. */
  readonly size: number
}

export const headerBytes = 12

const version = 1
const versionBits = 0b11
const replyBit = 0b100
const needReplyBit = 0b1000
const allBits = versionBits | replyBit | needReplyBit

const tables = { frontend: frontendRequests, backend: backendRequests } satisfies Requests

function namesByNumber(rules: Record<string, Rule>): ReadonlyMap<number, string> {
  return new Map(Object.entries(rules).map(([name, [number]]) => [number, name]))
}

const names: Readonly<Record<Side, ReadonlyMap<number, string>>> = {
  frontend: namesByNumber(frontendRequests),
  backend: namesByNumber(backendRequests),
}

function ruleOf(from: Side, name: string): Rule {
  return (tables[from] as Record<string, Rule>)[name] as Rule
}

/** Whether a request has a reply whether or not one is asked for. */
export function hasReply(from: Side, name: string): boolean {
  return ruleOf(from, name)[2] !== null
}

/** @param bytes - {@link headerBytes} of them; @throws ProtocolError */
export function decodeHeader(bytes: Uint8Array): Header {
  const [number = 0, flags = 0, size = 0] = new Uint32Array(bytes.slice(0, headerBytes).buffer)
  if ((flags & versionBits) !== version) {
    throw new ProtocolError(`Message ${number} is of version ${flags & versionBits}, not 1`)
  }
  if ((flags & ~allBits) !== 0) {
    throw new ProtocolError(`Message ${number} has unknown flags: 0x${flags.toString(16)}`)
  }
  if (size > longestPayload) {
    throw new ProtocolError(`Message ${number} says that ${size} bytes follow: too many`)
  }
  return {
    number,
    isReply: (flags & replyBit) !== 0,
    needReply: (flags & needReplyBit) !== 0,
    size,
  }
}

/**
 * What a side has asked for.
 *
 * @param payload - as many bytes as the header says
 * @param descriptors - how many have come along
 * @throws ProtocolError: the message breaks the rules of its request
 */
export function decodeRequest<From extends Side>(
  from: From,
  header: Header,
  payload: Uint8Array,
  descriptors: number,
): Message<From> {
  const name = names[from].get(header.number)
  if (name === undefined) throw new ProtocolError(`There is no request ${header.number}`)
  if (header.isReply) throw new ProtocolError(`${name} came as a reply, and nothing was asked`)
  const [, kind, reply, count] = ruleOf(from, name)
  const value = decodePayload(name, kind, payload, descriptors, count)
  const needsReply = reply !== null || header.needReply
  return { request: name, payload: value, needsReply } as unknown as Message<From>
}

/**
 * The reply to a request.
 *
 * @throws ProtocolError: it is no reply to this
 */
export function decodeReply<From extends Side, Name extends RequestName<From>>(
  from: From,
  name: Name,
  header: Header,
  payload: Uint8Array,
  descriptors: number,
): ReplyOf<Name, From> {
  const [number, , reply, , count = 0] = ruleOf(from, name)
  if (header.number !== number || !header.isReply) {
    const what = `${header.isReply ? 'a reply to message' : 'message'} ${header.number}`
    throw new ProtocolError(`A reply to ${name} was due, and ${what} came`)
  }
  const value = decodePayload(`The reply to ${name}`, reply ?? 'u64', payload, descriptors, count)
  return value as ReplyOf<Name, From>
}

/** The bytes of a request. @param needReply - whether a reply is asked for that is not due anyway */
export function encodeRequest<From extends Side, Name extends RequestName<From>>(
  from: From,
  name: Name,
  payload: PayloadOf<Name, From>,
  needReply = false,
): Uint8Array {
  const [number, kind] = ruleOf(from, name)
  return encode(number, needReply ? needReplyBit : 0, kind, payload)
}

/** The bytes of the reply to a request. */
export function encodeReply<From extends Side, Name extends RequestName<From>>(
  from: From,
  name: Name,
  payload: ReplyOf<Name, From>,
): Uint8Array {
  const [number, , reply] = ruleOf(from, name)
  return encode(number, replyBit, reply ?? 'u64', payload)
}

function encode(number: number, flags: number, kind: PayloadKind, payload: unknown): Uint8Array {
  const codec = payloadCodecs[kind] as PayloadCodec<unknown>
  const size = codec.size(payload)
  const message = new Uint8Array(headerBytes + size)
  new Uint32Array(message.buffer, 0, headerBytes / 4).set([number, version | flags, size])
  codec.encode(payload, new DataView(message.buffer, headerBytes))
  return message
}

function decodePayload(
  what: string,
  kind: PayloadKind,
  payload: Uint8Array,
  descriptors: number,
  count: Count,
): unknown {
  const codec = payloadCodecs[kind] as PayloadCodec<unknown>
  const { byteLength } = payload
  if (byteLength < codec.least || byteLength > codec.most) {
    const due = codec.least === codec.most ? codec.least : `${codec.least} to ${codec.most}`
    throw new ProtocolError(`${what} has a payload of ${byteLength} bytes, not of ${due}`)
  }
  const value = codec.decode(new DataView(payload.buffer, payload.byteOffset, byteLength))
  const exact = count === 'payload' ? (codec.descriptors?.(value) ?? 0) : count
  const [least, most] = typeof exact === 'number' ? [exact, exact] : exact
  if (descriptors < least || descriptors > most) {
    const due = least === most ? least : `${least} to ${most}`
    throw new ProtocolError(`${what} came with ${descriptors} descriptors, not with ${due}`)
  }
  return value
}
