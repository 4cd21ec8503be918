import assert from 'node:assert/strict'
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { event } from '../os/events.js'
import { memoryFile } from '../os/mapping.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { FakeBackend } from './backend.fixture.js'
import { addressesOf, logBit, memoryBytes, Peer, region, Served, usual } from './session.fixture.js'

checkForLeaks()

const pieces: Readonly<Record<string, (peer: Peer) => void>> = {
  features: (peer) => peer.say('SET_FEATURES', usual),
  memory: (peer) => peer.setMemory(),
  size: (peer) => peer.say('SET_VRING_NUM', { index: 0, num: 128 }),
  base: (peer) => peer.say('SET_VRING_BASE', { index: 0, num: 4 }),
  addresses: (peer) => peer.say('SET_VRING_ADDR', addressesOf(0)),
  kick: (peer) => peer.kick(0),
  enable: (peer) => peer.enable(0),
}

/** All orders with each piece last, and the others before it in their own order and reversed. */
function orders(): string[][] {
  const names = Object.keys(pieces)
  return names.flatMap((last) => {
    const others = names.filter((name) => name !== last)
    return [
      [...others, last],
      [...others.toReversed(), last],
    ]
  })
}

async function running(served: Served, peer: Peer): Promise<number[]> {
  await peer.sync()
  return [...served.backend.running.keys()]
}

describe('a vring runs', () => {
  test('as soon as it has all it needs, in whatever order, and not before', async () => {
    await using served = new Served()
    for (const order of orders()) {
      const peer = await Peer.ready(served.path)
      for (const name of order.slice(0, -1)) pieces[name]?.(peer)
      assert.deepEqual(await running(served, peer), [], order.join())
      pieces[order.at(-1) ?? '']?.(peer)
      assert.deepEqual(await running(served, peer), [0], order.join())
      const { used, base, call, inflight, log } = served.backend.running.get(0) ?? {}
      assert.deepEqual([used, base, call, inflight, log], [0x2000, 4, null, null, null])
      await peer.close()
    }
  })

  test('alone: the others need not be there', async () => {
    await using served = new Served(new FakeBackend(4))
    await using peer = await Peer.ready(served.path)
    await peer.start(2)
    assert.deepEqual(await running(served, peer), [2])
  })

  test('polled, where its kick has no descriptor', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    peer.say('SET_FEATURES', usual)
    peer.setMemory()
    peer.lay(0)
    peer.enable(0)
    peer.say('SET_VRING_KICK', { index: 0, hasDescriptor: false })
    peer.say('SET_VRING_CALL', { index: 0, hasDescriptor: false })
    assert.deepEqual(await running(served, peer), [0])
    assert.equal(served.backend.running.get(0)?.kick, null)
    assert.equal(served.backend.running.get(0)?.call, null)
  })
})

describe('a vring that runs', () => {
  test('is paused by ENABLE 0, and goes on where it stood', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await peer.start()
    served.backend.progress = 5
    peer.enable(0, 0)
    assert.deepEqual(await running(served, peer), [])
    peer.enable(0)
    assert.deepEqual(await running(served, peer), [0])
    assert.equal(served.backend.running.get(0)?.base, 5)
    assert.equal(await peer.base(0), 10)
  })

  test('is stopped by GET_VRING_BASE, and has to be set up anew but for being enabled', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await peer.start()
    assert.equal(await peer.base(0), 0)
    peer.kick(0)
    assert.deepEqual(await running(served, peer), [])
    peer.lay(0, 7)
    assert.deepEqual(await running(served, peer), [0])
  })

  test('stands once it was broken, whatever changes beside it, until it is set up anew', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await peer.start()
    served.backend.broken.add(0)
    peer.enable(0, 0)
    peer.enable(0)
    peer.setMemory()
    assert.deepEqual(await running(served, peer), [])
    await peer.base(0)
    served.backend.broken.clear()
    peer.lay(0)
    peer.kick(0)
    assert.deepEqual(await running(served, peer), [0])
  })

  test('changes over to another kick, call and error event', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await peer.start()
    served.backend.take()
    const before = served.backend.running.get(0)
    peer.call(0)
    peer.error(0)
    await peer.sync()
    assert.deepEqual(served.backend.take(), ['change 0 call', 'change 0 error'])
    assert.notEqual(served.backend.running.get(0)?.call, null)
    peer.kick(0)
    await peer.sync()
    assert.deepEqual(served.backend.take(), ['stop 0', 'start 0 size=128 base=0'])
    assert.notEqual(before, served.backend.running.get(0))
  })

  test('is paused while the memory changes, and its parts are found anew', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await peer.start()
    const moved = { ...region, guest: 2 ** 32 }
    assert.equal(await peer.ask('SET_MEM_TABLE', [moved], [memoryFile('guest', memoryBytes)]), 0)
    assert.equal(served.backend.running.get(0)?.used, 2 ** 32 + 0x2000)
    assert.equal(await peer.ask('REM_MEM_REG', moved), 0)
    assert.deepEqual(await running(served, peer), [])
    assert.equal(await peer.ask('ADD_MEM_REG', region, [memoryFile('guest', memoryBytes)]), 0)
    assert.deepEqual(await running(served, peer), [0])
  })

  test('logs from when it is told to until it is told not to, into the newest log', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await peer.start()
    const setLog = async (size: number): Promise<void> => {
      const fd = memoryFile('log', size)
      await peer.caller.call('SET_LOG_BASE', { size, offset: 0 }, [fd])
      peer.say('SET_LOG_FD', null, [fd])
    }
    await setLog(4096)
    assert.equal(served.backend.running.get(0)?.log, null)
    peer.say('SET_FEATURES', usual | logBit)
    await peer.sync()
    assert.equal(served.backend.running.get(0)?.log?.size, 4096)
    await setLog(8192)
    assert.equal(served.backend.running.get(0)?.log?.size, 8192)
    peer.say('SET_FEATURES', usual)
    await peer.sync()
    assert.equal(served.backend.running.get(0)?.log, null)
    assert.equal(served.backend.take().filter((line) => line.startsWith('start')).length, 1)
  })

  test('is paused while its in-flight region changes', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await peer.start()
    served.backend.take()
    const area = { size: 4224, offset: 0, queues: 2, queueSize: 128 }
    for (let round = 0; round < 2; round += 1) {
      const fd = memoryFile('inflight', area.size)
      assert.equal(await peer.ask('SET_INFLIGHT_FD', area, [fd]), 0)
      assert.deepEqual(served.backend.take(), ['stop 0', 'start 0 size=128 base=0'])
    }
    assert.equal(served.backend.running.get(0)?.inflight?.size, 2112)
  })

  test('is halted by status 0: it goes on at a new kick', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await peer.start()
    served.backend.progress = 2
    assert.equal(await peer.ask('SET_STATUS', 0n), 0)
    assert.deepEqual(await running(served, peer), [])
    peer.kick(0)
    assert.deepEqual(await running(served, peer), [0])
    assert.equal(served.backend.running.get(0)?.base, 2)
  })

  test('is as at the beginning after RESET_DEVICE, while the memory stays', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await peer.start()
    assert.equal(await peer.ask('SET_STATUS', 15n), 0)
    assert.equal(await peer.ask('RESET_DEVICE', null), 0)
    assert.equal((await peer.caller.call('GET_STATUS', null)).payload, 0n)
    peer.lay(0)
    peer.kick(0)
    assert.deepEqual(await running(served, peer), [])
    peer.enable(0)
    assert.deepEqual(await running(served, peer), [0])
  })

  test('is gone after RESET_OWNER, with the memory and the threads; a new owner may follow [VH-5]', async () => {
    await using served = new Served()
    await using peer = await Peer.ready(served.path)
    await peer.start()
    served.backend.take()
    assert.equal(await peer.ask('RESET_OWNER', null), 0)
    assert.deepEqual(served.backend.take(), ['stop 0', 'setMemory []', 'resetOwner'])
    assert.equal(await peer.ask('SET_VRING_NUM', { index: 0, num: 1 }), 1)
    assert.equal(await peer.ask('SET_OWNER', null), 0)
    await peer.start()
    assert.deepEqual(await running(served, peer), [0])
  })
})

test('events of a frontend never block who signals them, also when they are full or no events', async () => {
  await using served = new Served()
  await using peer = await Peer.ready(served.path)
  for (const request of ['SET_VRING_CALL', 'SET_VRING_ERR'] as const) {
    const fd = openSync('/dev/null', 'r+')
    assert.equal(flagsOf(fd) & constants.O_NONBLOCK, 0)
    peer.caller.send(request, { index: 0, hasDescriptor: true }, [fd])
    await peer.sync()
    // Both have the same open file.
    assert.notEqual(flagsOf(fd) & constants.O_NONBLOCK, 0, request)
    closeSync(fd)
  }
})

/** How a file is open: the flags of open(2). */
function flagsOf(fd: number): number {
  const [, flags = ''] =
    /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? []
  return Number.parseInt(flags, 8)
}

test('events that were given before a vring was set up are its own when it runs', async () => {
  await using served = new Served()
  await using peer = await Peer.ready(served.path)
  // Twice: the first ones are closed.
  for (let round = 0; round < 2; round += 1) {
    peer.call(0)
    peer.error(0)
    peer.say('SET_VRING_KICK', { index: 0, hasDescriptor: true }, [event()])
  }
  await peer.start()
  const { call, error } = served.backend.running.get(0) ?? {}
  assert.ok(typeof call === 'number' && typeof error === 'number')
})
