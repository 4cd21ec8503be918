import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { Channel } from './channel.js'
import { carry, decode, encode, unpack, whatIsShared } from './values.js'

checkForLeaks()

/** Two ends of a socket. */
async function pair(t: TestContext): Promise<[Socket, Socket]> {
  const server = createServer()
  server.listen(join(tmpdir(), `userworker-${process.pid}-${Math.random()}`))
  await once(server, 'listening')
  const one = connect(server.address() as string)
  const [other] = (await once(server, 'connection')) as [Socket]
  t.after(() => {
    one.destroy()
    other.destroy()
    server.close()
  })
  return [one, other]
}

/** A message as bytes of the socket. */
function framed(message: unknown): Buffer {
  const body = encode(message)
  const head = Buffer.alloc(4)
  head.writeUInt32LE(body.length)
  return Buffer.concat([head, body])
}

test('messages arrive whole and in order, whatever their sizes', async (t) => {
  const [one, other] = await pair(t)
  const sizes = [0, 1, 100, 70_000, 3, 2 ** 21, 5]
  const heard: number[] = []
  const all = new Promise<void>((resolve) => {
    const hear = ({ bytes }: { bytes: Uint8Array }): void => {
      heard.push(bytes.length)
      if (heard.length === sizes.length) resolve()
    }
    void new Channel<never, { bytes: Uint8Array }>(other, hear)
  })
  const sender = new Channel<{ bytes: Uint8Array }, never>(one, () => {})
  for (const size of sizes) sender.tell({ bytes: new Uint8Array(size) })
  await sender.flushed()
  await all
  assert.deepEqual(heard, sizes)
})

test('a stream of messages means the same however it is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.nat(40)), (messages, cuts) => {
      const heard: string[] = []
      const listeners: ((part: Buffer) => void)[] = []
      const socket = { on: (_: string, listener: never) => listeners.push(listener) }
      void new Channel<never, string>(socket as never, (message) => heard.push(message))
      let rest = Buffer.concat(messages.map(framed))
      for (const cut of [...cuts, rest.length]) {
        if (rest.length > 0) listeners[0]?.(rest.subarray(0, cut))
        rest = rest.subarray(cut)
      }
      assert.deepEqual(heard, messages)
    }),
  )
})

test('what is carried arrives as a clone of it', () => {
  const any = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true })
  fc.assert(
    fc.property(any, (value) => {
      const got = decode(carry(value, 'It'))
      // Compared as bytes of two clones, as the contract does: to `deepEqual` not all are equal to themselves.
      const bytes = [structuredClone(value), got].map((each) => encode(structuredClone(each)))
      assert.ok(bytes[0]?.equals(bytes[1] as Buffer))
    }),
    { numRuns: 500 },
  )
})

test('a value that is nested too deep for the stack is refused', () => {
  const nested = (depth: number): Buffer => {
    // What V8 writes around an object that is the only property of another.
    const [one, two] = [encode({ list: {} }), encode({})]
    const at = one.indexOf(two.subarray(2))
    const [head, opening, closing] = [one.subarray(0, 2), one.subarray(2, at), one.subarray(-2)]
    const levels = (part: Buffer): Buffer =>
      Buffer.concat(Array.from({ length: depth }, () => part))
    return Buffer.concat([head, levels(opening), two.subarray(2), levels(closing)])
  }
  assert.deepEqual(unpack(nested(2), 'It'), { list: { list: {} } })
  assert.throws(() => unpack(nested(200_000), 'It'), { code: 'ERR_NOT_CLONEABLE' })
})

test('shared memory is found wherever it is, and nothing else is refused', () => {
  const shared = new SharedArrayBuffer(4)
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  const harmless = [
    cyclic,
    [new Error('e', { cause: cyclic })],
    Object.create(null),
    /re/,
    new Date(),
  ]
  assert.equal(whatIsShared(structuredClone(harmless)), null)
  for (const value of [
    shared,
    new Uint8Array(shared),
    new DataView(shared),
    [[{ a: shared }]],
    new Map([[shared, 1]]),
    new Set([{ shared }]),
  ]) {
    assert.equal(whatIsShared(structuredClone(value)), 'a SharedArrayBuffer')
    assert.throws(() => carry(value, 'It'), { code: 'ENOTSUP' })
  }
  for (const value of [() => {}, Symbol('s'), { f: () => {} }, (function* () {})()]) {
    assert.throws(() => carry(value, 'It'), { code: 'ERR_NOT_CLONEABLE' })
  }
})
