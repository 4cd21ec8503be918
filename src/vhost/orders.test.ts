import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { close, event } from '../os/events.js'
import { memoryFile } from '../os/mapping.js'
import { until } from '../os/own-thread.fixture.js'
import { pair } from '../os/sockets.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { FakeBackend } from './backend.fixture.js'
import { Connection } from './connection.js'
import {
  addressesOf,
  logBit,
  Peer,
  region,
  Served,
  sharedMappings,
  usual,
} from './session.fixture.js'

checkForLeaks()

/** What SeaBIOS takes. */
const firmware = 0x1_4000_0044n
const memoryTold = 'setMemory [0+100000]'

/** The first part of what QEMU 7.2 says, to any device. */
async function handshake(peer: Peer, { configBytes = 57, slots = false } = {}): Promise<void> {
  const { payload: offered } = await peer.caller.call('GET_FEATURES', null)
  assert.equal(offered & usual, usual)
  await peer.caller.call('GET_PROTOCOL_FEATURES', null)
  peer.say('SET_PROTOCOL_FEATURES', slots ? 0x922bn : 0x122bn)
  await peer.caller.call('GET_QUEUE_NUM', null)
  if (slots) {
    const { payload } = await peer.caller.call('GET_MAX_MEM_SLOTS', null)
    assert.equal(payload, 509n)
  }
  const [mine, its] = pair()
  assert.equal(await peer.ask('SET_BACKEND_REQ_FD', null, [its]), 0)
  close(mine)
  peer.say('SET_OWNER', null)
  await peer.caller.call('GET_FEATURES', null)
  for (const index of [0, 1]) {
    peer.call(index)
    peer.error(index)
  }
  if (configBytes > 0) await config(peer, configBytes)
}

async function config(peer: Peer, length: number): Promise<void> {
  const bytes = new Uint8Array(length)
  const { payload } = await peer.caller.call('GET_CONFIG', { offset: 0, flags: 0, bytes })
  assert.equal(payload?.bytes.length, length)
}

/** @returns the region's file, open */
async function inflight(peer: Peer): Promise<number> {
  const asked = { size: 0, offset: 0, queues: 2, queueSize: 128 }
  const { payload, descriptors } = await peer.caller.call('GET_INFLIGHT_FD', asked)
  const fd = descriptors.take(0) ?? -1
  peer.caller.send('SET_INFLIGHT_FD', payload, [fd])
  return fd
}

/** The start of a disk with one queue. */
async function startDisk(peer: Peer, features: bigint, memory: () => Promise<void>): Promise<void> {
  peer.say('SET_FEATURES', features)
  const kept = await inflight(peer)
  peer.call(0)
  peer.say('SET_FEATURES', features)
  await memory()
  peer.lay(0)
  peer.kick(0)
  peer.enable(0)
  await peer.sync()
  close(kept)
}

const table = async (peer: Peer): Promise<void> => {
  assert.equal(await peer.ask('SET_MEM_TABLE', [region], [memoryFile('guest', region.size)]), 0)
}

async function stopDisk(peer: Peer): Promise<number> {
  peer.enable(0, 0)
  return await peer.base(0)
}

describe('a session takes the order of messages that was recorded', () => {
  test('of a disk whose guest boots: firmware first, then the system, each with its features', async () => {
    await using served = new Served()
    await using peer = new Peer(served.path)
    await handshake(peer)
    await startDisk(peer, firmware, () => table(peer))
    assert.equal(served.backend.running.get(0)?.features, 0x1_0000_0044n)
    served.backend.progress = 7
    assert.equal(await stopDisk(peer), 7)
    await startDisk(peer, usual, () => table(peer))
    assert.equal(served.backend.running.get(0)?.features, 0x1_2000_0044n)
    assert.notEqual(served.backend.running.get(0)?.inflight, null)
    assert.deepEqual(served.backend.take(), [
      'setOwner',
      memoryTold,
      'start 0 size=128 base=0',
      'stop 0',
      memoryTold,
      'start 0 size=128 base=0',
    ])
  })

  test('of a disk with memory slots, which are told of once and never again', async () => {
    await using served = new Served()
    await using peer = new Peer(served.path)
    await handshake(peer, { slots: true })
    await startDisk(peer, firmware, async () => {
      assert.equal(await peer.ask('ADD_MEM_REG', region, [memoryFile('guest', region.size)]), 0)
    })
    await stopDisk(peer)
    await startDisk(peer, usual, async () => {})
    const told = served.backend.take()
    assert.equal(told.filter((line) => line === memoryTold).length, 1)
    assert.equal(told.filter((line) => line.startsWith('start 0')).length, 2)
    assert.equal(served.backend.running.size, 1)
  })

  test('of a disk that is connected again: no GET_CONFIG, and the in-flight region of before', async () => {
    await using served = new Served()
    const before = sharedMappings()
    const first = new Peer(served.path)
    await handshake(first)
    first.say('SET_FEATURES', usual)
    const kept = await inflight(first)
    await table(first)
    first.lay(0)
    first.kick(0)
    first.enable(0)
    await first.sync()
    await first.close()
    await served.ended()
    assert.equal(sharedMappings(), before)

    await using again = new Peer(served.path)
    await handshake(again, { configBytes: 0 })
    again.say('SET_FEATURES', usual)
    const area = { size: 2 * 2112, offset: 0, queues: 2, queueSize: 128 }
    again.say('SET_INFLIGHT_FD', area, [kept])
    again.call(0)
    again.say('SET_FEATURES', usual)
    await table(again)
    again.lay(0, 5)
    again.kick(0)
    again.enable(0)
    await again.sync()
    assert.equal(served.backend.running.get(0)?.base, 5)
    assert.equal(served.backend.running.get(0)?.inflight?.size, 2112)
    assert.deepEqual(served.kinds, ['connected', 'disconnected', 'connected'])
  })

  test('of a network device: enabled before all, calls after the kick, no second ENABLE', async () => {
    await using served = new Served()
    await using peer = new Peer(served.path)
    await handshake(peer, { configBytes: 0 })
    peer.say('SET_PROTOCOL_FEATURES', 0x1_122bn)
    peer.enable(0)
    peer.enable(1)
    for (let round = 0; round < 2; round += 1) {
      served.backend.take()
      peer.say('SET_FEATURES', usual)
      await peer.caller.call('GET_STATUS', null)
      peer.say('SET_STATUS', 7n)
      await table(peer)
      for (const index of [0, 1]) {
        peer.lay(index)
        peer.kick(index)
        peer.call(index)
      }
      await peer.sync()
      assert.equal(served.backend.running.size, 2)
      assert.equal(await peer.base(0), 0)
      assert.equal(await peer.base(1), 0)
      peer.enable(0)
      peer.enable(1)
      await peer.sync()
      assert.equal(served.backend.running.size, 0)
    }
  })

  test('of rng, vsock, scsi: all queues are kicked, then all enabled; stopped by both', async () => {
    await using served = new Served(new FakeBackend(3))
    await using peer = new Peer(served.path)
    await handshake(peer, { configBytes: 8 })
    peer.say('SET_FEATURES', usual)
    await table(peer)
    // SeaBIOS enables the queues 0 and 1 of scsi without setting them up.
    peer.lay(2)
    peer.kick(2)
    for (const index of [0, 1, 2]) peer.enable(index)
    await peer.sync()
    assert.deepEqual([...served.backend.running.keys()], [2])
    for (const index of [0, 1, 2]) peer.enable(index, 0)
    await peer.sync()
    assert.equal(served.backend.running.size, 0)
    served.backend.progress = 9
    for (const index of [0, 1, 2]) assert.equal(await peer.base(index), 0)
  })

  test('of virtio-user: the owner first, queues in an order of their own, the status read back', async () => {
    await using served = new Served(new FakeBackend(4))
    await using peer = new Peer(served.path)
    peer.say('SET_OWNER', null)
    await peer.caller.call('GET_FEATURES', null)
    await peer.caller.call('GET_PROTOCOL_FEATURES', null)
    peer.say('SET_PROTOCOL_FEATURES', 0x10009n)
    for (const index of [0, 1, 2, 3]) peer.call(index)
    peer.say('SET_FEATURES', usual)
    for (const status of [0n, 1n, 3n, 0xbn]) {
      assert.equal(await peer.ask('SET_STATUS', status), 0)
      assert.equal((await peer.caller.call('GET_STATUS', null)).payload, status)
    }
    // Its guest addresses are its own virtual ones.
    const own = { guest: 0x1_0033_8000, size: region.size, user: 0x1_0033_8000, offset: 0 }
    assert.equal(await peer.ask('SET_MEM_TABLE', [own], [memoryFile('own', own.size)]), 0)
    for (const index of [0, 2, 1, 3]) {
      const { descriptors, available, used, ...rest } = addressesOf(index)
      const move = (address: number): number => address - region.user + own.user
      peer.say('SET_VRING_NUM', { index, num: 128 })
      peer.say('SET_VRING_BASE', { index, num: 0 })
      peer.say('SET_VRING_ADDR', {
        ...rest,
        descriptors: move(descriptors),
        available: move(available),
        used: move(used),
      })
      peer.say('SET_VRING_KICK', { index, hasDescriptor: true }, [event()])
    }
    for (const index of [0, 1, 2, 3]) peer.enable(index)
    assert.equal(await peer.ask('SET_STATUS', 0xfn), 0)
    assert.deepEqual([...served.backend.running.keys()], [0, 1, 2, 3])
    assert.equal(served.backend.running.get(3)?.descriptors, own.guest + 0x30000)
  })

  test('of a guest that moves to another host, and of one that stops and goes on', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    assert.equal(await peer.ask('ADD_MEM_REG', region, [memoryFile('guest', region.size)]), 0)
    const kept = await inflight(peer)
    peer.say('SET_FEATURES', usual)
    peer.lay(0)
    peer.kick(0)
    peer.enable(0)
    peer.say('SET_STATUS', 15n)
    await peer.sync()
    served.backend.take()

    const log = { size: 4096, offset: 0 }
    const fd = memoryFile('log', log.size)
    await peer.caller.call('SET_LOG_BASE', log, [fd])
    close(fd)
    peer.say('SET_FEATURES', usual | logBit)
    assert.equal((await peer.caller.call('GET_STATUS', null)).payload, 15n)
    peer.say('SET_VRING_ADDR', addressesOf(0, 1))
    await peer.sync()
    assert.deepEqual(served.backend.take(), ['change 0 log', 'change 0 usedLog'])
    // It stops: the status is reset before QEMU asks where the vring stands.
    served.backend.progress = 300
    peer.say('SET_STATUS', 0n)
    for (const index of [0, 1]) peer.enable(index, 0)
    const base = await peer.base(0)
    assert.equal(base, 300)
    assert.deepEqual(served.backend.take(), ['stop 0'])

    // Had it stayed, it would go on there, without its log.
    peer.say('SET_FEATURES', usual)
    peer.say('SET_STATUS', 8n)
    peer.say('SET_INFLIGHT_FD', { size: 4224, offset: 0, queues: 2, queueSize: 128 }, [kept])
    peer.lay(0, base)
    peer.kick(0)
    for (const index of [0, 1]) peer.enable(index)
    await peer.sync()
    assert.deepEqual(served.backend.take(), ['start 0 size=128 base=300'])
    assert.equal(served.backend.running.get(0)?.log, null)
  })

  test('of a resize: the channel says so, and the configuration is read again', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    const [mine, its] = pair()
    const heard: string[] = []
    const channel = new Connection(mine, 'backend', ({ request }) => {
      heard.push(request)
    })
    assert.equal(await peer.ask('SET_BACKEND_REQ_FD', null, [its]), 0)
    await config(peer, 57)
    served.backend.config[0] = 99
    served.backend.onConfigChange?.()
    await until('the channel says so', () => heard.length > 0)
    assert.deepEqual(heard, ['CONFIG_CHANGE_MSG'])
    const bytes = new Uint8Array(57)
    const { payload } = await peer.caller.call('GET_CONFIG', { offset: 0, flags: 0, bytes })
    assert.equal(payload?.bytes[0], 99)
    channel.close()
    assert.equal(await channel.ended, null)
  })
})
