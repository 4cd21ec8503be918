/**
 * The payloads of vhost-user messages: what they hold, and how they lie in memory (vhost-user,
 * "Message Specification"). Numbers have the byte order of the machine.
 *
 * Addresses, sizes and offsets are numbers here: one of 2^53 or more names no memory that a process
 * can map, and is refused.
 *
 * @module
 */
import { ProtocolError } from './protocol-error.js'

/** A region of the guest's memory: `region` of a memory table. */
export interface MemoryRegion {
  /** Guest address. */
  readonly guest: number
  readonly size: number
  /** User address: where the frontend has mapped it. */
  readonly user: number
  /** Mmap offset: where it begins in the file of its descriptor. */
  readonly offset: number
}

/** Vring state description. */
export interface VringState {
  readonly index: number
  readonly num: number
}

/** Vring address description. The addresses are the frontend's. */
export interface VringAddress {
  readonly index: number
  /** Bit 0, VHOST_VRING_F_LOG: writes to the used ring are logged at `log`. */
  readonly flags: number
  readonly descriptors: number
  readonly used: number
  readonly available: number
  readonly log: number
}

/** The u64 of SET_VRING_KICK, SET_VRING_CALL and SET_VRING_ERR. */
export interface VringDescriptor {
  readonly index: number
  /** Whether a descriptor comes along: bit 8, the "invalid FD flag", is not set. */
  readonly hasDescriptor: boolean
}

/** Log description. */
export interface LogArea {
  readonly size: number
  readonly offset: number
}

/** Virtio device config space. */
export interface ConfigSpace {
  readonly offset: number
  /** 0: writable fields; 1: live migration. */
  readonly flags: number
  readonly bytes: Uint8Array
}

/** Inflight description. */
export interface InflightArea {
  readonly size: number
  readonly offset: number
  readonly queues: number
  readonly queueSize: number
}

/** Vring area description. */
export interface VringArea extends VringDescriptor {
  readonly size: number
  readonly offset: number
}

/** An IOTLB message. */
export interface IotlbMessage {
  readonly iova: number
  readonly size: number
  readonly user: number
  readonly permissions: number
  readonly type: number
}

/** What each kind of payload holds. */
export interface Payloads {
  nothing: null
  u64: bigint
  state: VringState
  address: VringAddress
  descriptor: VringDescriptor
  memory: readonly MemoryRegion[]
  region: MemoryRegion
  log: LogArea
  config: ConfigSpace
  /** The answer to GET_CONFIG: null where the device has no such bytes. */
  configAnswer: ConfigSpace | null
  inflight: InflightArea
  area: VringArea
  iotlb: IotlbMessage
  /** Two words of 32 bits: the direction and the phase of a transfer of the device's state. */
  transfer: { readonly direction: number; readonly phase: number }
  /** Not looked into: what it holds means nothing to the devices here. */
  bytes: Uint8Array
}

export type PayloadKind = keyof Payloads

/** How a kind of payload lies in memory. Sizes are in bytes. */
export interface PayloadCodec<Value> {
  readonly least: number
  readonly most: number
  /** @throws ProtocolError; `view` has between `least` and `most` bytes */
  decode(view: DataView): Value
  size(value: Value): number
  /** `view` has that size, all zero. */
  encode(value: Value, view: DataView): void
  /** How many descriptors must come with it, where the payload says so. */
  descriptors?(value: Value): number
}

/** The most regions of a memory table. */
export const mostRegions = 8
/** The longest configuration space: that of QEMU, and of virtio over PCI. */
export const longestConfig = 256
/** The longest payload of any message. */
export const longestPayload = 4096

const isLittle = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
const noDescriptor = 0x100
const regionBytes = 32

/** A number of 64 bits that must be below 2^53. */
function readWide(view: DataView, offset: number): number {
  const low = view.getUint32(offset + (isLittle ? 0 : 4), isLittle)
  const high = view.getUint32(offset + (isLittle ? 4 : 0), isLittle)
  if (high >= 2 ** 21) {
    const value = view.getBigUint64(offset, isLittle).toString(16)
    throw new ProtocolError(
      `The number 0x${value} is too large for an address, a size or an offset`,
    )
  }
  return high * 2 ** 32 + low
}

function writeWide(view: DataView, offset: number, value: number): void {
  view.setBigUint64(offset, BigInt(value), isLittle)
}

const get32 = (view: DataView, offset: number): number => view.getUint32(offset, isLittle)
const set32 = (view: DataView, offset: number, value: number): void =>
  view.setUint32(offset, value, isLittle)

/** A payload of one size. */
function fixed<Value>(
  bytes: number,
  decode: (view: DataView) => Value,
  encode: (value: Value, view: DataView) => void,
): PayloadCodec<Value> {
  return { least: bytes, most: bytes, size: () => bytes, decode, encode }
}

function readRegion(view: DataView, at: number): MemoryRegion {
  return {
    guest: readWide(view, at),
    size: readWide(view, at + 8),
    user: readWide(view, at + 16),
    offset: readWide(view, at + 24),
  }
}

function writeRegion(view: DataView, at: number, region: MemoryRegion): void {
  writeWide(view, at, region.guest)
  writeWide(view, at + 8, region.size)
  writeWide(view, at + 16, region.user)
  writeWide(view, at + 24, region.offset)
}

function readDescriptor(view: DataView): VringDescriptor {
  const value = readWide(view, 0)
  if (value >= 2 * noDescriptor) {
    throw new ProtocolError(
      `0x${value.toString(16)} is no number of a vring with the flag of bit 8`,
    )
  }
  return { index: value % noDescriptor, hasDescriptor: value < noDescriptor }
}

function writeDescriptor({ index, hasDescriptor }: VringDescriptor, view: DataView): void {
  writeWide(view, 0, index + (hasDescriptor ? 0 : noDescriptor))
}

const memory: PayloadCodec<readonly MemoryRegion[]> = {
  least: 8,
  most: 8 + mostRegions * regionBytes,
  decode(view) {
    const count = get32(view, 0)
    if (view.byteLength !== 8 + count * regionBytes) {
      throw new ProtocolError(`A table of ${count} regions cannot have ${view.byteLength} bytes`)
    }
    return Array.from({ length: count }, (_, index) => readRegion(view, 8 + index * regionBytes))
  },
  size: (regions) => 8 + regions.length * regionBytes,
  encode(regions, view) {
    set32(view, 0, regions.length)
    for (const [index, region] of regions.entries())
      writeRegion(view, 8 + index * regionBytes, region)
  },
  descriptors: (regions) => regions.length,
}

const config: PayloadCodec<ConfigSpace> = {
  least: 12,
  most: 12 + longestConfig,
  decode(view) {
    const size = get32(view, 4)
    if (view.byteLength !== 12 + size) {
      const bytes = view.byteLength - 12
      throw new ProtocolError(`It names ${size} bytes of the configuration and carries ${bytes}`)
    }
    const bytes = new Uint8Array(view.buffer, view.byteOffset + 12, size).slice()
    return { offset: get32(view, 0), flags: get32(view, 8), bytes }
  },
  size: ({ bytes }) => 12 + bytes.byteLength,
  encode({ offset, flags, bytes }, view) {
    set32(view, 0, offset)
    set32(view, 4, bytes.byteLength)
    set32(view, 8, flags)
    new Uint8Array(view.buffer, view.byteOffset + 12).set(bytes)
  },
}

/** How each kind lies in memory. */
export const payloadCodecs: { readonly [Kind in PayloadKind]: PayloadCodec<Payloads[Kind]> } = {
  nothing: fixed(
    0,
    () => null,
    () => {},
  ),
  u64: fixed(
    8,
    (view) => view.getBigUint64(0, isLittle),
    (value, view) => view.setBigUint64(0, value, isLittle),
  ),
  state: fixed(
    8,
    (view) => ({ index: get32(view, 0), num: get32(view, 4) }),
    ({ index, num }, view) => {
      set32(view, 0, index)
      set32(view, 4, num)
    },
  ),
  address: fixed(
    40,
    (view) => ({
      index: get32(view, 0),
      flags: get32(view, 4),
      descriptors: readWide(view, 8),
      used: readWide(view, 16),
      available: readWide(view, 24),
      log: readWide(view, 32),
    }),
    (value, view) => {
      set32(view, 0, value.index)
      set32(view, 4, value.flags)
      writeWide(view, 8, value.descriptors)
      writeWide(view, 16, value.used)
      writeWide(view, 24, value.available)
      writeWide(view, 32, value.log)
    },
  ),
  descriptor: {
    ...fixed(8, readDescriptor, writeDescriptor),
    descriptors: ({ hasDescriptor }) => (hasDescriptor ? 1 : 0),
  },
  memory,
  // 64 bits of padding come first.
  region: fixed(
    8 + regionBytes,
    (view) => readRegion(view, 8),
    (region, view) => writeRegion(view, 8, region),
  ),
  log: fixed(
    16,
    (view) => ({ size: readWide(view, 0), offset: readWide(view, 8) }),
    ({ size, offset }, view) => {
      writeWide(view, 0, size)
      writeWide(view, 8, offset)
    },
  ),
  config,
  configAnswer: {
    least: 0,
    most: config.most,
    decode(view) {
      if (view.byteLength === 0) return null
      if (view.byteLength < config.least) throw new ProtocolError('The configuration has no head')
      return config.decode(view)
    },
    size: (value) => (value === null ? 0 : config.size(value)),
    encode: (value, view) => {
      if (value !== null) config.encode(value, view)
    },
  },
  // QEMU's structure ends with 4 bytes of padding, and it refuses an answer without them.
  inflight: {
    least: 20,
    most: 24,
    decode: (view) => ({
      size: readWide(view, 0),
      offset: readWide(view, 8),
      queues: view.getUint16(16, isLittle),
      queueSize: view.getUint16(18, isLittle),
    }),
    size: () => 24,
    encode(value, view) {
      writeWide(view, 0, value.size)
      writeWide(view, 8, value.offset)
      view.setUint16(16, value.queues, isLittle)
      view.setUint16(18, value.queueSize, isLittle)
    },
  },
  area: {
    ...fixed(
      24,
      (view) => ({
        ...readDescriptor(view),
        size: readWide(view, 8),
        offset: readWide(view, 16),
      }),
      (value: VringArea, view) => {
        writeDescriptor(value, view)
        writeWide(view, 8, value.size)
        writeWide(view, 16, value.offset)
      },
    ),
    descriptors: ({ hasDescriptor }) => (hasDescriptor ? 1 : 0),
  },
  iotlb: fixed(
    32,
    (view) => ({
      iova: readWide(view, 0),
      size: readWide(view, 8),
      user: readWide(view, 16),
      permissions: view.getUint8(24),
      type: view.getUint8(25),
    }),
    (value, view) => {
      writeWide(view, 0, value.iova)
      writeWide(view, 8, value.size)
      writeWide(view, 16, value.user)
      view.setUint8(24, value.permissions)
      view.setUint8(25, value.type)
    },
  ),
  transfer: fixed(
    8,
    (view) => ({ direction: get32(view, 0), phase: get32(view, 4) }),
    ({ direction, phase }, view) => {
      set32(view, 0, direction)
      set32(view, 4, phase)
    },
  ),
  bytes: {
    least: 0,
    most: longestPayload,
    decode: (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice(),
    size: (value) => value.byteLength,
    encode: (value, view) => new Uint8Array(view.buffer, view.byteOffset).set(value),
  },
}
