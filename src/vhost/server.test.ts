import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { close } from '../os/events.js'
import { until } from '../os/own-thread.fixture.js'
import { accept, listen } from '../os/sockets.js'
import { checkForLeaks, descriptors, leaks } from '../worker/leaks.fixture.js'
import { FakeBackend } from './backend.fixture.js'
import { Caller } from './caller.js'
import { Server } from './server.js'
import { Peer, Served, sharedMappings } from './session.fixture.js'

checkForLeaks()

describe('a server', () => {
  test('listens for its own user only', async () => {
    await using served = new Served()
    assert.equal(statSync(served.path).mode & 0o777, 0o600)
  })

  test('refuses a path where another listens, or that is none', async () => {
    await using served = new Served()
    const begin = (socket: string) => () => new Server(new FakeBackend(), { socket })
    assert.throws(begin(served.path), { code: 'EADDRINUSE' })
    const other = `${served.path}.txt`
    writeFileSync(other, 'not a socket')
    assert.throws(begin(other), { code: 'EEXIST' })
    assert.throws(begin(''), { code: 'EINVAL' })
    assert.throws(begin('x'.repeat(200)), { code: 'EINVAL' })
    const client = { socket: 'x'.repeat(200), mode: 'client' } as const
    assert.throws(() => new Server(new FakeBackend(), client), { code: 'EINVAL' })
    assert.throws(() => new Server(new FakeBackend(), { ...client, mode: 'both' as never }), {
      code: 'EINVAL',
    })
  })

  test('goes on when the process has had no descriptor left for a while', () => {
    const script = fileURLToPath(new URL('no-descriptors.fixture.js', import.meta.url))
    const limited = `ulimit -n 128; exec "${process.execPath}" "${script}"`
    const { stdout, stderr, status } = spawnSync('sh', ['-c', limited], { encoding: 'utf8' })
    assert.deepEqual([stderr, status], ['', 0])
    assert.match(stdout, /^(error accept4 failed: EMFILE\n)+connected\ndisconnected\nclosed\n$/)
  })

  test('turns a second frontend away at once, and the first goes on', async () => {
    await using served = new Served()
    await using first = await Peer.ready(served.path)
    await first.start()
    const second = new Peer(served.path)
    await second.refused()
    assert.deepEqual(served.kinds, ['connected', 'turned-away'])
    await first.sync()
    assert.equal(served.server.isConnected, true)
  })

  test('serves the next when the one before has gone, even before it has heard of its end', async () => {
    await using served = new Served()
    for (let round = 0; round < 20; round += 1) {
      const peer = await Peer.ready(served.path)
      await peer.start()
      peer.caller.close()
      await using next = await Peer.ready(served.path)
      await next.start()
    }
    assert.ok(!served.kinds.includes('turned-away'), served.kinds.join())
    await served.ended(39)
  })

  test('leaves nothing behind after 200 connections, whatever they came to [VH-6]', async () => {
    await using served = new Served()
    const warm = await Peer.ready(served.path)
    await warm.start()
    await warm.close()
    await served.ended()
    const open = descriptors()
    const mapped = sharedMappings()
    for (let round = 1; round <= 200; round += 1) {
      const peer = await Peer.ready(served.path)
      await peer.start(round % 2)
      if (round % 3 === 0) {
        peer.enable(9)
        await peer.refused()
      } else if (round % 3 === 1) await peer.base(round % 2)
      await peer.close()
      await served.ended(round + 1)
    }
    assert.deepEqual(
      leaks(open).filter((line) => line.includes('open')),
      [],
    )
    assert.equal(sharedMappings(), mapped)
    assert.equal(served.backend.isOwned, false)
  })

  test('keeps the threads for another frontend, for as long as it is told [VH-6]', async () => {
    await using served = new Served(new FakeBackend(), { reconnectMs: 600_000 })
    await (await Peer.ready(served.path)).close()
    await served.ended()
    await (await Peer.ready(served.path)).close()
    await served.ended(2)
    assert.deepEqual(served.backend.take(), ['setOwner'])
    await served.server.close()
    assert.deepEqual(served.backend.take(), ['resetOwner'])
  })

  test('frees the threads when nobody comes within that time [VH-6]', async () => {
    await using served = new Served(new FakeBackend(), { reconnectMs: 20 })
    await (await Peer.ready(served.path)).close()
    await until('the owner is forgotten', () => !served.backend.isOwned)
    await (await Peer.ready(served.path)).close()
    await until('once more', () => served.backend.journal.length === 4)
    assert.deepEqual(served.backend.take(), ['setOwner', 'resetOwner', 'setOwner', 'resetOwner'])
  })

  test('keeps no threads of which one has ended while they waited for another frontend', async () => {
    await using served = new Served(new FakeBackend(), { reconnectMs: 600_000 })
    await (await Peer.ready(served.path)).close()
    await served.ended()
    served.backend.onFailure?.(new Error('a thread has died'))
    await using next = await Peer.ready(served.path)
    await next.start()
    assert.deepEqual(served.backend.take().slice(0, 3), ['setOwner', 'resetOwner', 'setOwner'])
    assert.deepEqual(served.kinds, ['connected', 'disconnected', 'error', 'connected'])
  })

  test('keeps no threads of which one has ended while its frontend was going', async () => {
    await using served = new Served(new FakeBackend(), { reconnectMs: 600_000 })
    const peer = await Peer.ready(served.path)
    await peer.start()
    const stop = served.backend.stopVring.bind(served.backend)
    served.backend.stopVring = async (index) => {
      served.backend.onFailure?.(new Error('a thread has died'))
      return await stop(index)
    }
    await peer.close()
    await served.ended()
    assert.equal(served.backend.isOwned, false)
  })

  test('tells what went wrong with the end of a session, and goes on', async () => {
    await using served = new Served()
    const peer = await Peer.ready(served.path)
    await peer.start()
    served.backend.failures.set('stop', new Error('a thread has died'))
    await peer.close()
    await served.ended()
    assert.deepEqual(served.kinds, ['connected', 'error', 'disconnected'])
    await using next = await Peer.ready(served.path)
    await next.start()
  })

  test('closes in the middle of a session, and leaves nothing', async () => {
    const served = new Served()
    const peer = await Peer.ready(served.path)
    await peer.start()
    await Promise.all([served.server.close(), served.server.close()])
    await peer.refused()
    assert.deepEqual(served.backend.take().slice(-3), ['stop 0', 'setMemory []', 'resetOwner'])
    assert.throws(() => statSync(served.path), { code: 'ENOENT' })
    await served[Symbol.asyncDispose]()
  })
})

describe('a client', () => {
  test('tries until it can connect, and again when its frontend has gone', async () => {
    await using away = new Served()
    const path = `${away.path}.frontend`
    const kinds: string[] = []
    const backend = new FakeBackend()
    const client = new Server(backend, {
      socket: path,
      mode: 'client',
      onEvent: ({ kind }) => kinds.push(kind),
    })
    assert.deepEqual(kinds, ['error'])
    const listener = listen(path)
    for (let round = 0; round < 2; round += 1) {
      let fd: number | null = null
      await until('it connects', () => (fd ??= accept(listener.fd)) !== null)
      const caller = new Caller(fd ?? -1, 'frontend')
      await caller.call('GET_FEATURES', null)
      caller.close()
      await caller.ended
    }
    listener.close()
    await client.close()
    assert.deepEqual(kinds.slice(0, 4), ['error', 'connected', 'disconnected', 'connected'])
  })

  test('says once why it cannot connect, however often it tries, and again where that changes', async () => {
    await using away = new Served()
    const path = `${away.path}.absent`
    const codes: (string | undefined)[] = []
    const client = new Server(new FakeBackend(), {
      socket: path,
      mode: 'client',
      onEvent: (told) => {
        if (told.kind === 'error') codes.push((told.error as NodeJS.ErrnoException).code)
      },
    })
    await sleep(700)
    assert.deepEqual(codes, ['ENOENT'])
    writeFileSync(path, 'no socket')
    await until('it says so', () => codes.length === 2)
    assert.deepEqual(codes, ['ENOENT', 'ECONNREFUSED'])
    await client.close()
  })

  test('ends while it tries', async () => {
    await using away = new Served()
    const client = new Server(new FakeBackend(), { socket: `${away.path}.none`, mode: 'client' })
    await client.close()
    assert.equal(client.isConnected, false)
    assert.throws(() => close(-1))
  })
})
