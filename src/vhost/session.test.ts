import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { event } from '../os/events.js'
import { memoryFile } from '../os/mapping.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { FakeBackend } from './backend.fixture.js'
import { offeredProtocolFeatures, protocolFeatures } from './features.js'
import type { PayloadOf, RequestName } from './message.js'
import {
  addressesOf,
  logBit,
  memoryBytes,
  Peer,
  protocolBit,
  region,
  Served,
  usual,
} from './session.fixture.js'

checkForLeaks()

/** What a frontend without REPLY_ACK says to one that owns nothing, or agreed on nothing. */
type Saying = [RequestName, PayloadOf<RequestName>, (() => number)?]

const area = { size: 64, offset: 0, queues: 1, queueSize: 1 }
const bytes = new Uint8Array(1)
const file = (): number => memoryFile('any', memoryBytes)
const state = { index: 0, num: 1 }

const needOwner: readonly Saying[] = [
  ['RESET_OWNER', null],
  ['RESET_DEVICE', null],
  ['SET_STATUS', 1n],
  ['GET_STATUS', null],
  ['SET_MEM_TABLE', [region], file],
  ['ADD_MEM_REG', region, file],
  ['REM_MEM_REG', region],
  ['SET_LOG_BASE', { size: 4096, offset: 0 }, file],
  ['SET_LOG_FD', null, event],
  ['SET_VRING_NUM', state],
  ['SET_VRING_BASE', state],
  ['SET_VRING_ADDR', addressesOf(0)],
  ['SET_VRING_KICK', { index: 0, hasDescriptor: true }, event],
  ['SET_VRING_CALL', { index: 0, hasDescriptor: true }, event],
  ['SET_VRING_ERR', { index: 0, hasDescriptor: true }, event],
  ['SET_VRING_ENABLE', state],
  ['GET_VRING_BASE', state],
  ['GET_INFLIGHT_FD', area],
  ['SET_INFLIGHT_FD', area, file],
]

const needFeature: readonly [keyof typeof protocolFeatures, ...Saying][] = [
  ['STATUS', 'SET_STATUS', 1n],
  ['STATUS', 'GET_STATUS', null],
  ['CONFIGURE_MEM_SLOTS', 'GET_MAX_MEM_SLOTS', null],
  ['CONFIGURE_MEM_SLOTS', 'ADD_MEM_REG', region, file],
  ['CONFIGURE_MEM_SLOTS', 'REM_MEM_REG', region],
  ['LOG_SHMFD', 'SET_LOG_BASE', { size: 4096, offset: 0 }, file],
  ['CONFIG', 'GET_CONFIG', { offset: 0, flags: 0, bytes }],
  ['CONFIG', 'SET_CONFIG', { offset: 32, flags: 0, bytes }],
  ['BACKEND_REQ', 'SET_BACKEND_REQ_FD', null, event],
  ['INFLIGHT_SHMFD', 'GET_INFLIGHT_FD', area],
  ['INFLIGHT_SHMFD', 'SET_INFLIGHT_FD', area, file],
]

const neverSpoken: readonly Saying[] = [
  ['SEND_RARP', 0n],
  ['NET_SET_MTU', 1500n],
  ['SET_VRING_ENDIAN', state],
  ['POSTCOPY_LISTEN', null],
  ['GPU_SET_SOCKET', null, event],
  ['VRING_KICK', state],
  ['CHECK_DEVICE_STATE', null],
]

/** Says it, and finds the connection ended by one sentence, and the next frontend served. */
async function ends(served: Served, peer: Peer, saying: Saying, reason: RegExp): Promise<void> {
  const [name, payload, make] = saying
  const count = served.reasons.length + 1
  peer.say(name, payload, make === undefined ? [] : [make()])
  await peer.refused()
  await served.ended(count)
  assert.match(served.reasons[count - 1] ?? '', reason, name)
}

describe('a session ends, and the next begins,', () => {
  test('at what only the owner may say, before there is one [VH-3]', async () => {
    await using served = new Served()
    for (const saying of needOwner) {
      const peer = new Peer(served.path)
      peer.say('SET_PROTOCOL_FEATURES', offeredProtocolFeatures & ~protocolFeatures.REPLY_ACK)
      await ends(served, peer, saying, new RegExp(`^${saying[0]} came before SET_OWNER`))
    }
    assert.deepEqual(served.backend.take(), [])
  })

  test('at what was not agreed on', async () => {
    await using served = new Served()
    for (const [feature, ...saying] of needFeature) {
      const agreed = offeredProtocolFeatures & ~protocolFeatures[feature]
      const peer = await Peer.ready(served.path, agreed)
      await ends(served, peer, saying, new RegExp(`${feature} was not agreed on`))
    }
  })

  test('at a request that it does not know', async () => {
    await using served = new Served()
    for (const saying of neverSpoken) {
      const peer = await Peer.ready(served.path)
      await ends(served, peer, saying, new RegExp(`^${saying[0]} is not spoken here$`))
    }
  })

  test('at bits that were not offered, vrings that are not there, values that are none', async () => {
    await using served = new Served()
    const sayings: [...Saying, RegExp][] = [
      ['SET_FEATURES', 1n << 50n, undefined, /not offered: 0x4000000000000/],
      ['SET_PROTOCOL_FEATURES', 1n << 14n, undefined, /not offered: 0x4000/],
      ['SET_VRING_NUM', { index: 2, num: 1 }, undefined, /no vring 2: the device has 2/],
      ['SET_VRING_KICK', { index: 255, hasDescriptor: true }, event, /no vring 255/],
      ['GET_VRING_BASE', { index: 2 ** 31, num: 0 }, undefined, /no vring 2147483648/],
      ['SET_VRING_ENABLE', { index: 0, num: 2 }, undefined, /takes 0 or 1/],
      ['SET_STATUS', 256n, undefined, /more than 8 bits/],
    ]
    for (const [name, payload, make, reason] of sayings) {
      const peer = await Peer.ready(served.path)
      await ends(served, peer, make === undefined ? [name, payload] : [name, payload, make], reason)
    }
  })

  test('at bytes that are no message', async () => {
    await using served = new Served()
    const peer = await Peer.ready(served.path)
    peer.caller.sendRaw(new Uint8Array(12).fill(0xff))
    await peer.refused()
    await served.ended()
    assert.match(served.reasons[0] ?? '', /version/)
    await using next = await Peer.ready(served.path)
    await next.sync()
  })

  test('at the end of its frontend, in the middle of whatever it was', async () => {
    await using served = new Served()
    const peer = await Peer.ready(served.path)
    await peer.start()
    await peer.close()
    await served.ended()
    assert.deepEqual(served.reasons, [null])
    const told = served.backend.take().slice(-3)
    assert.deepEqual(told, ['stop 0', 'setMemory []', 'resetOwner'])
  })
})

/** Refused where an answer is asked for, and nothing else has changed. */
async function refuses<Name extends RequestName>(
  peer: Peer,
  name: Name,
  payload: PayloadOf<Name>,
  fds: number[] = [],
): Promise<void> {
  assert.equal(await peer.ask(name, payload, fds), 1, name)
}

describe('a request that cannot be done is answered with 1, and the session goes on:', () => {
  test('a second SET_OWNER [VH-1]', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await refuses(peer, 'SET_OWNER', null)
    assert.deepEqual(served.backend.take(), ['setOwner'])
    peer.say('SET_OWNER', null)
    await peer.refused()
    await served.ended()
    assert.match(served.reasons[0] ?? '', /EBUSY/)
  })

  test('a device that has another owner, or no room for its threads [VH-1 VH-2]', async () => {
    await using served = new Served()
    await using peer = new Peer(served.path)
    peer.say('SET_PROTOCOL_FEATURES', offeredProtocolFeatures)
    served.backend.isOwned = true
    await refuses(peer, 'SET_OWNER', null)
    served.backend.isOwned = false
    served.backend.failures.set('setOwner', new Error('no thread can be made'))
    await refuses(peer, 'SET_OWNER', null)
    await refuses(peer, 'SET_MEM_TABLE', [region], [file()])
    assert.equal(await peer.ask('SET_OWNER', null), 0)
  })

  test('memory that is none', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    const wrong: Partial<typeof region>[] = [
      { size: 0 },
      { guest: 5 },
      { offset: 100 },
      { size: memoryBytes + 1 },
      { offset: memoryBytes },
      { guest: 2 ** 53 - 4096 },
    ]
    for (const part of wrong) {
      await refuses(peer, 'SET_MEM_TABLE', [{ ...region, ...part }], [file()])
      await refuses(peer, 'ADD_MEM_REG', { ...region, ...part }, [file()])
    }
    await refuses(peer, 'SET_MEM_TABLE', [region], [event()])
    const above = { ...region, guest: memoryBytes }
    await refuses(peer, 'SET_MEM_TABLE', [region, above], [file(), file()])
    assert.deepEqual(served.backend.take(), ['setOwner'])
    assert.equal(await peer.ask('ADD_MEM_REG', region, [file()]), 0)
    await refuses(peer, 'ADD_MEM_REG', above, [file()])
    await refuses(peer, 'REM_MEM_REG', above)
    assert.equal(await peer.ask('REM_MEM_REG', { ...region, offset: 4096 }), 0)
    assert.deepEqual(served.backend.take(), ['setMemory [0+100000]', 'setMemory []'])
  })

  test('a vring that is none, or lies where no memory is', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    for (const num of [0, 3, 65536, 2 ** 31]) {
      await refuses(peer, 'SET_VRING_NUM', { index: 0, num })
    }
    await refuses(peer, 'SET_VRING_BASE', { index: 0, num: 65536 })
    peer.say('SET_FEATURES', usual)
    peer.setMemory()
    peer.lay(0)
    const beyond = { ...addressesOf(0), used: region.user + memoryBytes - 1000 }
    peer.say('SET_VRING_ADDR', beyond)
    peer.kick(0)
    await refuses(peer, 'SET_VRING_ENABLE', { index: 0, num: 1 })
    assert.equal(await peer.ask('SET_VRING_ADDR', addressesOf(0)), 0)
    assert.equal(served.backend.running.size, 1)
  })

  test('a vring that the backend does not take', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    served.backend.failures.set('start', new Error('misaligned'))
    peer.say('SET_FEATURES', usual)
    peer.setMemory()
    peer.lay(0)
    peer.kick(0)
    await refuses(peer, 'SET_VRING_ENABLE', { index: 0, num: 1 })
    assert.equal(await peer.ask('SET_VRING_ENABLE', { index: 0, num: 1 }), 0)
    assert.equal(served.backend.running.size, 1)
  })

  test('what may not change while a vring runs', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await peer.start()
    served.backend.take()
    await refuses(peer, 'SET_VRING_NUM', { index: 0, num: 64 })
    await refuses(peer, 'SET_VRING_BASE', { index: 0, num: 3 })
    await refuses(peer, 'SET_VRING_ADDR', { ...addressesOf(0), used: region.user })
    assert.deepEqual(served.backend.take(), [])
    assert.equal(await peer.ask('SET_VRING_ADDR', addressesOf(0, 1)), 0)
    assert.equal(served.backend.running.get(0)?.usedLog, 0x2000)
  })

  test('an in-flight region, or a log, that is too small or none', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    const inflight = { size: 4096, offset: 0, queues: 2, queueSize: 128 }
    await refuses(peer, 'SET_INFLIGHT_FD', inflight, [file()])
    await refuses(peer, 'SET_INFLIGHT_FD', { ...inflight, queues: 0 }, [file()])
    await refuses(peer, 'SET_INFLIGHT_FD', { ...inflight, queueSize: 65535 }, [file()])
    await refuses(peer, 'SET_INFLIGHT_FD', { ...inflight, size: memoryBytes * 2 }, [file()])
    await refuses(peer, 'SET_INFLIGHT_FD', { ...inflight, size: 8192, offset: 4 }, [file()])
    // For vrings of another size than this one has.
    const other = { size: 8192, offset: 0, queues: 2, queueSize: 64 }
    assert.equal(await peer.ask('SET_INFLIGHT_FD', other, [file()]), 0)
    peer.say('SET_FEATURES', usual)
    peer.setMemory()
    peer.lay(0)
    peer.kick(0)
    await refuses(peer, 'SET_VRING_ENABLE', { index: 0, num: 1 })
  })

  test('a write to the configuration that the device does not take', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await refuses(peer, 'SET_CONFIG', { offset: 0, flags: 0, bytes: new Uint8Array(8) })
    // Without an answer it is passed over: a guest must not end its own disk.
    peer.say('SET_CONFIG', { offset: 0, flags: 0, bytes: new Uint8Array(8) })
    const toggle = { offset: 32, flags: 0, bytes: new Uint8Array([1]) }
    assert.equal(await peer.ask('SET_CONFIG', toggle), 0)
    assert.equal(served.backend.config[32], 1)
    assert.equal(served.backend.config[0], 0)
  })
})

describe('the configuration', () => {
  test('is answered with exactly as many bytes as were asked for', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    for (const length of [57, 60, 96, 256]) {
      const asked = { offset: 0, flags: 0, bytes: new Uint8Array(length) }
      const { payload } = await peer.caller.call('GET_CONFIG', asked)
      const due = new Uint8Array(length)
      due.set(served.backend.config.subarray(0, length))
      assert.deepEqual(payload?.bytes, due)
    }
    const beyond = { offset: 60, flags: 0, bytes: new Uint8Array(4) }
    assert.equal((await peer.caller.call('GET_CONFIG', beyond)).payload, null)
  })
})

describe('features', () => {
  test('are those of the device, with those of the protocol', async () => {
    await using served = new Served()
    await using peer = new Peer(served.path)
    const { payload } = await peer.caller.call('GET_FEATURES', null)
    assert.equal(payload, served.backend.features | protocolBit | logBit)
    const { payload: protocol } = await peer.caller.call('GET_PROTOCOL_FEATURES', null)
    assert.equal(protocol, 0x1_b22bn)
    const { payload: vrings } = await peer.caller.call('GET_QUEUE_NUM', null)
    assert.equal(vrings, 2n)
  })

  test('of the protocol that are not agreed on leave all vrings enabled', async () => {
    await using served = new Served()
    await using peer = new Peer(served.path)
    peer.say('SET_OWNER', null)
    peer.say('SET_FEATURES', usual & ~protocolBit)
    peer.setMemory()
    peer.lay(0)
    peer.kick(0)
    await peer.sync()
    assert.equal(served.backend.running.size, 1)
    // Agreed on after all: none was enabled.
    peer.say('SET_FEATURES', usual)
    await peer.sync()
    assert.equal(served.backend.running.size, 0)
  })

  test('that change pause the vrings; the same again does nothing', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await peer.start()
    served.backend.take()
    peer.say('SET_FEATURES', usual)
    await peer.sync()
    assert.deepEqual(served.backend.take(), [])
    served.backend.progress = 3
    peer.say('SET_FEATURES', usual & ~4n)
    await peer.sync()
    assert.deepEqual(served.backend.take(), ['stop 0', 'start 0 size=128 base=3'])
    assert.equal(served.backend.running.get(0)?.features, 0x1_2000_0040n)
  })
})

describe('a backend that fails', () => {
  test('ends the connection, and what its threads may still use stays until they are gone', async () => {
    for (const what of ['setMemory', 'stop', 'change']) {
      await using served = new Served()
      const peer = await Peer.ready(served.path)
      await peer.start()
      served.backend.failures.set(what, new Error(`${what} failed`))
      if (what === 'change') peer.call(0)
      else peer.setMemory()
      await peer.refused()
      await served.ended()
      assert.match(served.reasons[0] ?? '', new RegExp(`${what} failed`))
      assert.equal(served.backend.take().at(-1), 'resetOwner')
      await using next = await Peer.ready(served.path)
      await next.start()
      assert.equal(served.backend.running.size, 1)
    }
  })
})

test('a file that is truncated before it is mapped is refused', async () => {
  await using served = new Served()
  await using peer = await Peer.ready(served.path)
  const fd = file()
  writeFileSync(`/proc/self/fd/${fd}`, '')
  await refuses(peer, 'ADD_MEM_REG', region, [fd])
})

test('a device of its own is not harmed by a frontend that names none of its vrings', async () => {
  await using served = new Served(new FakeBackend(1))
  await using peer = await Peer.ready(served.path)
  assert.equal(await peer.base(0), 0)
})
