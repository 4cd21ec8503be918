import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { fstatSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { close, event } from '../os/events.js'
import { nextTurn } from '../os/clock.js'
import { pair, receive, send } from '../os/sockets.js'
import { checkForLeaks, descriptors } from '../worker/leaks.fixture.js'
import { Connection, type Handler } from './connection.js'
import type { TracedMessage } from './message-trace.js'
import { encodeRequest, type Message } from './message.js'
import { payloads } from './payloads.fixture.js'
import { ProtocolError } from './protocol-error.js'

checkForLeaks()

const getFeatures = encodeRequest('frontend', 'GET_FEATURES', null)
const call = encodeRequest('frontend', 'SET_VRING_CALL', { index: 0, hasDescriptor: true })

/** A connection whose peer is the test. */
function connected(handle: Handler<'frontend'> = () => {}): {
  peer: number
  connection: Connection
} {
  const [peer, fd] = pair()
  return { peer, connection: new Connection(fd, 'frontend', handle) }
}

/** Sends all, as fast as it is read. */
async function sendAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.byteLength;) {
    offset += send(fd, bytes.subarray(offset))
    await nextTurn()
  }
}

async function refused(connection: Connection, message: RegExp): Promise<void> {
  const error = await connection.ended
  assert.ok(error instanceof ProtocolError, String(error))
  assert.match(error.message, message)
}

describe('requests', () => {
  test('come one at a time, in order, however long each takes', async () => {
    const log: string[] = []
    const { peer, connection } = connected(async ({ request }) => {
      log.push(`${request} begins`)
      await nextTurn()
      await nextTurn()
      log.push(`${request} ends`)
    })
    const owner = encodeRequest('frontend', 'SET_OWNER', null)
    send(peer, Buffer.concat([getFeatures, owner, getFeatures]))
    close(peer)
    assert.equal(await connection.ended, null)
    const names = ['GET_FEATURES', 'SET_OWNER', 'GET_FEATURES']
    assert.deepEqual(
      log,
      names.flatMap((name) => [`${name} begins`, `${name} ends`]),
    )
  })

  test('arrive whole from a peer that sends byte by byte', async () => {
    const sent = fc.sample(payloads.memory, 1)[0] ?? []
    const fds = sent.map(() => event())
    let got: { message: Message; count: number } | null = null
    const { peer, connection } = connected((message, { count }) => {
      got = { message, count }
    })
    const bytes = encodeRequest('frontend', 'SET_MEM_TABLE', sent, true)
    send(peer, bytes.subarray(0, 1), fds)
    await sendAll(peer, bytes.subarray(1))
    close(peer)
    assert.equal(await connection.ended, null)
    assert.deepEqual(got, {
      message: { request: 'SET_MEM_TABLE', payload: sent, needsReply: true },
      count: sent.length,
    })
    for (const fd of fds) close(fd)
  })

  test('keep their own descriptors when several arrive at once', async () => {
    const fds = [event(), event()] as const
    const got: (number | null)[] = []
    const { peer, connection } = connected((message, arrived) => {
      got.push(message.request === 'SET_VRING_CALL' ? arrived.take(0) : null)
      assert.equal(arrived.count, message.request === 'SET_VRING_CALL' ? 1 : 0)
    })
    send(peer, getFeatures)
    send(peer, call, [fds[0]])
    send(peer, Buffer.concat([getFeatures, getFeatures]))
    send(peer, call, [fds[1]])
    close(peer)
    assert.equal(await connection.ended, null)
    assert.deepEqual(
      got.map((fd) => fd !== null),
      [false, true, false, false, true],
    )
    for (const fd of [...got, ...fds]) if (fd !== null) close(fd)
  })

  test('are answered with descriptors, which stay ours', async () => {
    const own = event()
    const area = { size: 4096, offset: 0, queues: 1, queueSize: 8 }
    const { peer, connection } = connected(() => {
      connection.reply('GET_INFLIGHT_FD', area, [own])
      connection.close()
    })
    send(peer, encodeRequest('frontend', 'GET_INFLIGHT_FD', { ...area, size: 0 }))
    assert.equal(await connection.ended, null)
    const bytes = new Uint8Array(100)
    const got = receive(peer, bytes)
    assert.equal(got?.length, 36)
    assert.equal(bytes[4], 0b101, 'version 1, a reply')
    assert.equal(got.fds.length, 1)
    fstatSync(own)
    for (const fd of [own, peer, ...got.fds]) close(fd)
  })
})

describe('a connection ends', () => {
  const cases: readonly (readonly [string, (peer: number) => unknown, RegExp])[] = [
    ['half a header', (peer) => send(peer, getFeatures.subarray(0, 5)), /middle of a message/],
    ['half a payload', (peer) => send(peer, call.subarray(0, 15)), /middle of a message/],
    ['garbage', (peer) => send(peer, Buffer.alloc(64, 0xee)), /version 2, not 1/],
    ['a length beyond all', (peer) => send(peer, Buffer.alloc(64, 1)), /too many|unknown flags/],
    ['a request without its descriptor', (peer) => send(peer, call), /0 descriptors, not with 1/],
  ]
  for (const [what, sent, message] of cases) {
    test(`at ${what}`, async () => {
      const { peer, connection } = connected(() => assert.fail('it was handed out'))
      sent(peer)
      close(peer)
      await refused(connection, message)
    })
  }

  test('with all descriptors closed that nobody took', async () => {
    const open = descriptors()
    const one = event()
    const eight = Array.from({ length: 8 }, () => one)
    const sendings: readonly ((peer: number) => unknown)[] = [
      (peer) => send(peer, getFeatures, eight),
      (peer) => send(peer, getFeatures.subarray(0, 3), eight),
      (peer) => [send(peer, call.subarray(0, 12), [one]), send(peer, call.subarray(12), eight)],
      (peer) => [send(peer, call.subarray(0, 12)), send(peer, call.subarray(12), [one])],
      (peer) => send(peer, Buffer.alloc(12, 0xff), eight),
      (peer) => [send(peer, call, [one]), send(peer, call, [one, one])],
    ]
    for (const sending of sendings) {
      const { peer, connection } = connected()
      sending(peer)
      close(peer)
      assert.ok((await connection.ended) instanceof ProtocolError)
    }
    close(one)
    assert.deepEqual(descriptors(), open)
  })

  test('when a handler fails, with its error and without its descriptors', async () => {
    const open = descriptors()
    const one = event()
    const failure = new Error('the device is on fire')
    const { peer, connection } = connected(async () => {
      await nextTurn()
      throw failure
    })
    send(peer, call, [one])
    assert.equal(await connection.ended, failure)
    close(peer)
    close(one)
    assert.deepEqual(descriptors(), open)
  })

  test('when it is closed, and the request under way goes on to its end', async () => {
    let isDone = false
    const { peer, connection } = connected(async () => {
      connection.close()
      await nextTurn()
      connection.reply('GET_FEATURES', 0n)
      isDone = true
    })
    send(peer, Buffer.concat([getFeatures, getFeatures]))
    assert.equal(await connection.ended, null)
    assert.equal(isDone, true)
    close(peer)
  })

  test('when it is closed while it waits', async () => {
    const { peer, connection } = connected()
    await nextTurn()
    connection.close()
    assert.equal(await connection.ended, null)
    close(peer)
  })

  test('quietly when the peer closes with replies unread', async () => {
    const { peer, connection } = connected(() => connection.reply('GET_FEATURES', 1n))
    send(peer, Buffer.concat([getFeatures, getFeatures, getFeatures]))
    close(peer)
    assert.equal(await connection.ended, null)
  })

  test('at a peer that asks and never reads', async () => {
    const { peer, connection } = connected(() => connection.reply('GET_FEATURES', 1n))
    try {
      for (;;) {
        send(peer, getFeatures)
        await nextTurn()
      }
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EPIPE')
    }
    await refused(connection, /does not read its messages/)
    close(peer)
  })
})

describe('whoever listens to userworker:vhost-message', () => {
  test('gets each message with its payload and the count of its descriptors', async () => {
    const got: TracedMessage[] = []
    const listener = (message: unknown): unknown => got.push(message as TracedMessage)
    subscribe('userworker:vhost-message', listener)
    const { peer, connection } = connected((message) => {
      if (message.request === 'GET_FEATURES') connection.reply('GET_FEATURES', 5n)
    })
    const one = event()
    send(peer, getFeatures)
    send(peer, call, [one])
    close(peer)
    close(one)
    await connection.ended
    unsubscribe('userworker:vhost-message', listener)
    const of = { socket: '', from: 'frontend', isReply: false, descriptors: 0 }
    assert.deepEqual(got, [
      { ...of, direction: 'in', request: 'GET_FEATURES', payload: null },
      { ...of, direction: 'out', request: 'GET_FEATURES', payload: 5n, isReply: true },
      {
        ...of,
        direction: 'in',
        request: 'SET_VRING_CALL',
        payload: { index: 0, hasDescriptor: true },
        descriptors: 1,
      },
    ])
  })
})
