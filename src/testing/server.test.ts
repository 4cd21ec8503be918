import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeBackend } from '../vhost/backend.fixture.js'
import { Served } from '../vhost/session.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { Frontend } from './index.js'

checkForLeaks()

describe('a server and a frontend that plays QEMU', () => {
  test('agree on everything, and all queues run', async () => {
    await using served = new Served(new FakeBackend(4))
    await using frontend = await Frontend.connect(served.path, { queues: 4, configBytes: 57 })
    await frontend.sync()
    assert.deepEqual([...served.backend.running.keys()], [0, 1, 2, 3])
    for (const setup of served.backend.running.values()) {
      assert.equal(setup.size, 128)
      assert.equal(setup.inflight?.size, 2112)
      assert.notEqual(setup.call, null)
    }
    assert.deepEqual(await frontend.stopLikeQemu(), [0, 0, 0, 0])
    assert.equal(served.backend.running.size, 0)
  })

  test('boot: the firmware drives the device before the system does', async () => {
    await using served = new Served()
    await using frontend = await Frontend.open(served.path, { queues: 2 })
    await frontend.negotiate()
    await frontend.bootLikeQemu(async () => {
      await frontend.sync()
      assert.equal(served.backend.running.size, 2)
    })
    await frontend.sync()
    const told = served.backend.take()
    assert.equal(told.filter((line) => line.startsWith('start')).length, 4)
    assert.equal(told.filter((line) => line.startsWith('setMemory')).length, 1)
  })

  test('connect again, and go on where they were', async () => {
    await using served = new Served()
    await using frontend = await Frontend.connect(served.path, { queues: 2 })
    await frontend.sync()
    await frontend.reconnectLikeQemu()
    await frontend.sync()
    assert.deepEqual(served.kinds, ['connected', 'disconnected', 'connected'])
    assert.equal(served.backend.running.size, 2)
  })

  test('tell each other of a resize', async () => {
    await using served = new Served()
    await using frontend = await Frontend.connect(served.path)
    await frontend.sync()
    const changed = frontend.waitForConfigChange()
    served.backend.config[0] = 200
    served.backend.onConfigChange?.()
    await changed
    const config = await frontend.getConfig(0, 8)
    assert.equal(config?.[0], 200)
  })

  test('log what is written from when they are told to', async () => {
    await using served = new Served()
    await using frontend = await Frontend.connect(served.path)
    await frontend.setLog(16 * 2 ** 20)
    frontend.setFeatures(frontend.features | (1n << 26n))
    await frontend.sync()
    assert.equal(served.backend.running.get(0)?.log?.size, 4096)
  })

  test('find each other where the backend connects', async () => {
    const away = new Served()
    const path = `${away.path}.frontend`
    await using listener = Frontend.listen(path, { queues: 2 })
    await away.server.close()
    const { Server } = await import('../vhost/index.js')
    const backend = new FakeBackend()
    const client = new Server(backend, { socket: path, mode: 'client' })
    const frontend = await listener.accept()
    await frontend.negotiate()
    await frontend.startLikeQemu()
    await frontend.sync()
    assert.equal(backend.running.size, 2)
    await frontend.close()
    await client.close()
    await away[Symbol.asyncDispose]()
  })
})
