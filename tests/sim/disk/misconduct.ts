/**
 * What a frontend should not say: requests at the wrong time, and bytes that are no message.
 *
 * @module
 */
import type { GuestQueue } from './guest.js'
import type { System } from './system.js'
import { rules, type Said, type Table } from './table.js'

interface Wrong extends Said {
  /** How many descriptors come along. */
  readonly things?: number
}

/** None of these changes anything: each is refused, or ends the connection. */
export function wrongSayings(table: Table, system: System, queues: readonly GuestQueue[]): Wrong[] {
  const index = system.below(queues.length)
  const queue = queues[index] as GuestQueue
  const isRunning = table.vrings[index]?.state === 'running'
  const addresses = queue.addresses(0)
  const region = { guest: 0x100000, size: 4096, user: 0x7f00_0010_0000, offset: 0 }
  const slots = table.speaks('CONFIGURE_MEM_SLOTS')
  const wrong: (Wrong | false)[] = [
    { name: 'SET_VRING_NUM', payload: { index, num: system.pick([3, 0, 65536]) } },
    isRunning && { name: 'SET_VRING_NUM', payload: { index, num: 64 } },
    isRunning && { name: 'SET_VRING_BASE', payload: { index, num: 7 } },
    { name: 'SET_VRING_BASE', payload: { index, num: 0x10000 } },
    isRunning && { name: 'SET_VRING_ADDR', payload: { ...addresses, used: addresses.used + 4096 } },
    { name: 'SET_VRING_ENABLE', payload: { index, num: 2 } },
    { name: system.pick(['SET_VRING_NUM', 'GET_VRING_BASE']), payload: { index: 77, num: 4 } },
    { name: 'SET_FEATURES', payload: 1n << 50n },
    { name: 'SET_PROTOCOL_FEATURES', payload: 1n << 40n },
    { name: 'SEND_RARP', payload: 0n },
    { name: 'POSTCOPY_LISTEN', payload: null },
    { name: 'SET_STATUS', payload: 0x100n },
    slots && table.regions.length > 0 && { name: 'ADD_MEM_REG', payload: region, things: 1 },
    slots && { name: 'REM_MEM_REG', payload: { ...region, guest: 0x9000_0000 } },
    { name: 'SET_MEM_TABLE', payload: [region, region], things: 2 },
    { name: 'GET_INFLIGHT_FD', payload: { size: 0, offset: 0, queues: 0, queueSize: 4 } },
    { name: 'SET_CONFIG', payload: { offset: 0, flags: 0, bytes: new Uint8Array(8) } },
    ...unspoken(table),
  ]
  if (table.owned) wrong.push({ name: 'SET_OWNER', payload: null })
  return wrong.filter((each) => each !== false)
}

/** What wants an owner. */
export function earlySayings(table: Table, queue: GuestQueue): Wrong[] {
  const { index } = queue
  return [
    { name: 'RESET_OWNER', payload: null },
    { name: 'RESET_DEVICE', payload: null },
    { name: 'SET_MEM_TABLE', payload: [] },
    { name: 'SET_LOG_FD', payload: null, things: 1 },
    { name: 'SET_VRING_NUM', payload: { index, num: 4 } },
    { name: 'SET_VRING_BASE', payload: { index, num: 4 } },
    { name: 'SET_VRING_ADDR', payload: queue.addresses(0) },
    { name: 'SET_VRING_KICK', payload: { index, hasDescriptor: false } },
    { name: 'SET_VRING_CALL', payload: { index, hasDescriptor: false } },
    { name: 'SET_VRING_ERR', payload: { index, hasDescriptor: false } },
    { name: 'SET_VRING_ENABLE', payload: { index, num: 1 } },
    { name: 'GET_VRING_BASE', payload: { index, num: 0 } },
    ...withFeature(queue),
    ...unspoken(table),
    { name: 'SEND_RARP', payload: 0n },
    { name: 'POSTCOPY_LISTEN', payload: null },
    { name: 'SET_FEATURES', payload: 1n << 50n },
    { name: 'SET_PROTOCOL_FEATURES', payload: 1n << 40n },
    { name: 'SET_CONFIG', payload: { offset: 0, flags: 0, bytes: new Uint8Array(8) } },
  ]
}

function withFeature({ size }: GuestQueue): Wrong[] {
  const region = { guest: 0x100000, size: 4096, user: 0x7f00_0010_0000, offset: 0 }
  const area = { size: 4096, offset: 0, queues: 1, queueSize: size }
  return [
    { name: 'SET_STATUS', payload: 1n },
    { name: 'GET_STATUS', payload: null },
    { name: 'ADD_MEM_REG', payload: region, things: 1 },
    { name: 'REM_MEM_REG', payload: region },
    { name: 'SET_LOG_BASE', payload: { size: 4096, offset: 0 }, things: 1 },
    { name: 'GET_INFLIGHT_FD', payload: area },
    { name: 'SET_INFLIGHT_FD', payload: area, things: 1 },
  ]
}

/** What was not agreed on. */
function unspoken(table: Table): Wrong[] {
  const region = { guest: 0x100000, size: 4096, user: 0x7f00_0010_0000, offset: 0 }
  const area = { size: 4096, offset: 0, queues: 1, queueSize: 4 }
  const config = { offset: 0, flags: 0, bytes: new Uint8Array(8) }
  const all: Wrong[] = [
    { name: 'SET_STATUS', payload: 1n },
    { name: 'GET_STATUS', payload: null },
    { name: 'GET_MAX_MEM_SLOTS', payload: null },
    { name: 'ADD_MEM_REG', payload: region, things: 1 },
    { name: 'REM_MEM_REG', payload: region },
    { name: 'SET_LOG_BASE', payload: { size: 4096, offset: 0 }, things: 1 },
    { name: 'GET_CONFIG', payload: config },
    { name: 'SET_CONFIG', payload: config },
    { name: 'SET_BACKEND_REQ_FD', payload: null, things: 1 },
    { name: 'GET_INFLIGHT_FD', payload: area },
    { name: 'SET_INFLIGHT_FD', payload: area, things: 1 },
  ]
  return all.filter(({ name }) => {
    const feature = rules[name]?.[1]
    return feature !== undefined && !table.speaks(feature)
  })
}

/** Bytes that are no message of the protocol. */
export function malformed(system: System): Uint8Array {
  const size = system.below(60)
  const [number, flags, length] = system.pick([
    [1, 2, size],
    [999, 1, size],
    [1, 1, 8000],
    [8, 1, 3],
    [2, 5, 8],
    [1, 0x101, size],
    [5, 1, 40],
    [18, 1, 0],
  ])
  const bytes = new Uint8Array(12 + Math.min(length ?? 0, 60))
  new Uint32Array(bytes.buffer, 0, 3).set([number ?? 0, flags ?? 0, length ?? 0])
  return bytes
}
