import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { nextTurn } from '../os/clock.js'
import { close, event } from '../os/events.js'
import { pair, receive, send } from '../os/sockets.js'
import { checkForLeaks, descriptors } from '../worker/leaks.fixture.js'
import { Caller } from './caller.js'
import { Connection } from './connection.js'
import { encodeReply } from './message.js'
import { ProtocolError } from './protocol-error.js'

checkForLeaks()

function connected(): { caller: Caller<'frontend'>; peer: number } {
  const [fd, peer] = pair()
  return { caller: new Caller(fd, 'frontend'), peer }
}

describe('calls', () => {
  test('get the replies of a connection, each its own, with descriptors', async () => {
    const [fd, other] = pair()
    const caller = new Caller(fd, 'frontend')
    const own = event()
    const area = { size: 4096, offset: 0, queues: 2, queueSize: 8 }
    const connection = new Connection(other, 'frontend', async ({ request, needsReply }) => {
      await nextTurn()
      if (request === 'GET_FEATURES') connection.reply(request, 7n)
      else if (request === 'GET_INFLIGHT_FD') connection.reply(request, area, [own])
      else if (needsReply) connection.reply('SET_OWNER', 1n)
    })
    caller.send('SET_OWNER', null)
    const replies = await Promise.all([
      caller.call('GET_FEATURES', null),
      caller.call('GET_INFLIGHT_FD', { ...area, size: 0 }),
      caller.call('SET_OWNER', null),
    ])
    assert.deepEqual(
      replies.map(({ payload }) => payload),
      [7n, area, 1n],
    )
    assert.equal(replies[1].descriptors.count, 1)
    replies[1].descriptors.close()
    caller.close()
    assert.equal(await caller.ended, null)
    assert.equal(await connection.ended, null)
    close(own)
  })

  test('reject when the other side closes, and so do those that come afterwards', async () => {
    const { caller, peer } = connected()
    const calls = [caller.call('GET_FEATURES', null), caller.call('GET_STATUS', null)]
    const outcomes = Promise.allSettled(calls)
    // What it was sent is read first: else the connection would be reset, which is the same to us.
    receive(peer, new Uint8Array(100))
    close(peer)
    for (const { status, ...rest } of await outcomes) {
      assert.equal(status, 'rejected')
      assert.match(String((rest as { reason: unknown }).reason), /closed the connection/)
    }
    assert.equal(await caller.ended, null)
    await assert.rejects(caller.call('GET_FEATURES', null), /closed the connection/)
    caller.send('SET_OWNER', null)
  })

  test('reject with what was wrong about the reply, and its descriptors are closed', async () => {
    const open = descriptors()
    const one = event()
    const { caller, peer } = connected()
    const outcome = assert.rejects(caller.call('GET_FEATURES', null), ProtocolError)
    send(peer, encodeReply('frontend', 'GET_STATUS', 1n), [one])
    await outcome
    assert.match(String(await caller.ended), /A reply to GET_FEATURES was due/)
    close(peer)
    close(one)
    assert.deepEqual(descriptors(), open)
  })

  test('that nobody made have no reply: one that comes ends the connection', async () => {
    const { caller, peer } = connected()
    send(peer, encodeReply('frontend', 'GET_STATUS', 1n))
    assert.match(String(await caller.ended), /nothing was asked/)
    close(peer)
  })

  test('on a full socket fail at once, and the connection is over', async () => {
    const { caller, peer } = connected()
    assert.throws(() => {
      for (;;) caller.send('SET_OWNER', null)
    }, /does not read its messages/)
    assert.equal(await caller.ended, null)
    close(peer)
  })
})
