/** What comes seldom: descriptors that are none, frontends that do not read, ends in the middle. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { nextTurn } from '../os/clock.js'
import { close, event } from '../os/events.js'
import { map, memoryFile, unmap } from '../os/mapping.js'
import { until } from '../os/own-thread.fixture.js'
import { pair, send } from '../os/sockets.js'
import { checkForLeaks, descriptors } from '../worker/leaks.fixture.js'
import { BackendChannel } from './backend-channel.js'
import { FakeBackend } from './backend.fixture.js'
import { Connection } from './connection.js'
import { configOf, controlHost, deviceOf } from './instance.js'
import { InflightRegion } from './mapped-areas.js'
import { encodeRequest } from './message.js'
import { Ownership } from './ownership.js'
import { serve } from './serve.js'
import { Server, type ServerEvent } from './server.js'
import { reinsOf, VhostWorker } from './worker/index.js'

checkForLeaks()

describe('the channel to a frontend', () => {
  test('is closed when the frontend does not read it, and all else goes on', () => {
    const sockets = (): number => descriptors().get('socket') ?? 0
    const [peer, fd] = pair()
    const channel = new BackendChannel('/a/socket')
    channel.open(fd)
    const open = sockets()
    for (let sent = 0; sent < 100_000 && sockets() === open; sent++) channel.configChanged()
    assert.equal(sockets(), open - 1)
    channel.configChanged()
    close(peer)
  })
})

describe('a connection', () => {
  test('that is closed in the middle of a message ends, with no error', async () => {
    const [peer, fd] = pair()
    const connection = new Connection(fd, 'frontend', () => {})
    const bytes = encodeRequest('frontend', 'SET_FEATURES', 1n)
    send(peer, bytes.subarray(0, bytes.length - 1))
    await nextTurn()
    await nextTurn()
    connection.close()
    assert.equal(await connection.ended, null)
    close(peer)
  })

  test('gives the error of the system where its socket is none', async () => {
    const fd = event()
    const connection = new Connection(fd, 'frontend', () => {})
    const error = await connection.ended
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOTSOCK')
    const other = event()
    const silent = new Connection(other, 'frontend', () => {})
    assert.throws(() => silent.reply('GET_FEATURES', 1n), { code: 'ENOTSOCK' })
    await silent.ended
  })
})

describe('an in-flight region', () => {
  test('has no part for a vring that it was not made for', () => {
    const fd = memoryFile('region', 1 << 20)
    const region = new InflightRegion({ size: 1 << 16, offset: 0, queues: 1, queueSize: 16 }, fd)
    assert.notEqual(region.of(0, 16), null)
    assert.equal(region.of(1, 16), null)
    assert.throws(() => region.of(0, 32), /has 32 descriptors/)
    region.close()
    close(fd)
  })
})

describe('an ownership', () => {
  const failing = new Error('its threads do not end')

  test('whose reset fails says so, and may be taken again', async () => {
    const backend = new FakeBackend()
    const ownership = new Ownership(backend, 0, assert.fail)
    await ownership.leave()
    await ownership.take()
    backend.failures.set('resetOwner', failing)
    await assert.rejects(ownership.reset(), failing)
    await ownership.reset()
    backend.isOwned = false
    await ownership.take()
    await ownership.reset()
  })

  test('whose reset fails after its window tells of it', async () => {
    const backend = new FakeBackend()
    const told: Error[] = []
    const ownership = new Ownership(backend, 1, (error) => told.push(error))
    await ownership.take()
    backend.failures.set('resetOwner', failing)
    await ownership.leave()
    await until('it was told', () => told.length > 0)
    assert.deepEqual(told, [failing])
  })

  test('of a server that nobody is connected to: what fails in the end of lost threads is told', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'uw-seldom-'))
    const backend = new FakeBackend()
    const events: ServerEvent[] = []
    const onEvent = (event: ServerEvent): void => void events.push(event)
    const server = new Server(backend, { socket: join(folder, 's'), onEvent })
    backend.onFailure?.(failing)
    assert.deepEqual(events, [{ kind: 'error', error: failing }])
    await server.close()
    rmSync(folder, { recursive: true })
  })
})

describe('a module that makes a device', () => {
  const host = controlHost('dev', () => {})

  test('is told what is wrong with it', async () => {
    const none = deviceOf('file:///a.js', {}, null, host)
    await assert.rejects(none, { code: 'ERR_NO_HANDLER', message: /It exports: nothing$/ })
    const other = deviceOf('file:///a.js', { device: 1 }, null, host)
    await assert.rejects(other, { code: 'ERR_NO_HANDLER', message: /It exports: device$/ })
  })

  test('may have no configuration, and must have one of bytes', () => {
    const device = { id: 1, process: () => 0 }
    assert.deepEqual(configOf(device, 'dev'), new Uint8Array())
    const wrong = { ...device, config: () => 'text' as never }
    assert.throws(() => configOf(wrong, 'dev'), {
      code: 'EINVAL',
      message: /must return a Uint8Array/,
    })
  })

  test('has no sleep and no requests in its control instance', () => {
    assert.throws(() => host.sleepBy(() => assert.fail('slept') as never), /has no sleep/)
    host.onStop(() => assert.fail('stopped')).close()
  })
})

describe('serving', () => {
  const module = new URL('./device.fixture.js', import.meta.url)
  const dataOf = (): object => ({ words: new Int32Array(new SharedArrayBuffer(256)), vrings: 1 })

  test('leaves nothing where the socket is in use', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'uw-seldom-'))
    const socket = join(folder, 's')
    await using worker = await VhostWorker.create()
    const first = await serve(module, { socket, data: dataOf(), workers: [worker], mode: 'server' })
    assert.deepEqual([first.isConnected, first.vrings, first.workerOf(0)], [false, 1, null])
    await assert.rejects(serve(module, { socket, data: dataOf() }), { code: 'EADDRINUSE' })
    for (const workers of [[], [1], 'one'])
      await assert.rejects(serve(module, { socket, data: dataOf(), workers: workers as never }), {
        code: 'EINVAL',
      })
    await first.flush()
    await assert.rejects(first.newWorker(), { code: 'ENODEV' })
    await assert.rejects(first.freeWorker(worker), { code: 'ENODEV' })
    await assert.rejects(first.attach(0, worker), { code: 'ENODEV' })
    await first[Symbol.asyncDispose]()
    assert.ok(!existsSync(socket))
    rmSync(folder, { recursive: true })
  })

  test('is refused where its memory cannot be mapped', () => {
    const fd = memoryFile('small', 4096)
    assert.throws(() => unmap(map(fd, 2 ** 50), 2 ** 50))
    close(fd)
  })
})

describe('a vhost worker', () => {
  test('has as many items for vrings as it says, and each that is given back again', async () => {
    await using worker = await VhostWorker.create()
    const reins = reinsOf(worker)
    const taken: number[] = []
    const takeAll = (): never => {
      for (;;) taken.push(reins.takeItem())
    }
    assert.throws(takeAll, { code: 'ENOBUFS' })
    reins.giveItem(taken[3] ?? 0)
    assert.equal(reins.takeItem(), taken[3])
    for (const item of taken) reins.giveItem(item)
  })
})

describe('a vhost worker that is disposed of', () => {
  test('is freed, and one that has ended is left as it is', async () => {
    const worker = await VhostWorker.create()
    await worker[Symbol.asyncDispose]()
    assert.notEqual(worker.thread.exitCode, null)
    await worker[Symbol.asyncDispose]()
  })
})
