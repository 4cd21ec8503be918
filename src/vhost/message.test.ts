import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import {
  backendRequests,
  decodeHeader,
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  frontendRequests,
  headerBytes,
  type Header,
  type Message,
  type RequestName,
} from './message.js'
import { payloads, requestNames, requests, ruleOf } from './payloads.fixture.js'
import type { PayloadKind } from './payloads.js'
import { ProtocolError } from './protocol-error.js'

checkForLeaks()

/** The bytes of a message, each number by itself, so that the test has its own idea of the layout. */
function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(new Uint32Array(values).buffer)
}

function split(message: Uint8Array): { header: Header; payload: Uint8Array } {
  return { header: decodeHeader(message), payload: message.subarray(headerBytes) }
}

function decoded(message: Uint8Array, descriptors = 0): Message {
  const { header, payload } = split(message)
  return decodeRequest('frontend', header, payload, descriptors)
}

function refusal(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ProtocolError, `not a ProtocolError: ${String(error)}`)
    return error.message
  }
  return assert.fail('it was not refused')
}

describe('a message', () => {
  test('lies in memory as the specification draws it', () => {
    const table = encodeRequest('frontend', 'SET_MEM_TABLE', [
      { guest: 0x1_0000_0000, size: 0x2000, user: 0x7f00_0000_1000, offset: 0x8000_0000 },
    ])
    const region = [0, 1, 0x2000, 0, 0x1000, 0x7f00, 0x8000_0000, 0]
    assert.deepEqual(table, words(5, 1, 40, 1, 0, ...region))
    const base = encodeReply('frontend', 'GET_VRING_BASE', { index: 3, num: 77 })
    assert.deepEqual(base, words(11, 0b101, 8, 3, 77))
    const kick = encodeRequest('frontend', 'SET_VRING_KICK', { index: 2, hasDescriptor: false })
    assert.deepEqual(kick, words(12, 1, 8, 0x102, 0))
    const change = encodeRequest('backend', 'CONFIG_CHANGE_MSG', null, true)
    assert.deepEqual(change, words(2, 0b1001, 0))
  })

  test('is read as it was sent by QEMU 7.2: GET_CONFIG of 57 bytes, GET_INFLIGHT_FD of 24', () => {
    const config = new Uint8Array(headerBytes + 69)
    config.set(words(24, 1, 69, 0, 57, 0))
    const asked = decoded(config)
    assert.equal(asked.request, 'GET_CONFIG')
    assert.deepEqual(asked.payload, { offset: 0, flags: 0, bytes: new Uint8Array(57) })
    assert.equal(asked.needsReply, true)
    const inflight = decoded(words(31, 1, 24, 0, 0, 0, 0, 1 + (128 << 16), 0xdead))
    assert.deepEqual(inflight.payload, { size: 0, offset: 0, queues: 1, queueSize: 128 })
  })

  test('comes out as it went in, whatever it asks', () => {
    const property = fc.property(requests, ({ from, name, payload, needReply, descriptors }) => {
      const message = encodeRequest(from, name as never, payload as never, needReply)
      const { header, payload: bytes } = split(message)
      assert.equal(header.size, bytes.byteLength)
      const back = decodeRequest(from, header, bytes, descriptors)
      const needsReply = needReply || ruleOf(from, name)[2] !== null
      assert.deepEqual(back, { request: name, payload, needsReply })
    })
    fc.assert(property, { numRuns: 3000 })
  })

  test('comes out as it went in, whatever it replies', () => {
    const replies = fc.constantFrom(...requestNames).chain(({ from, name }) => {
      const kind: PayloadKind = ruleOf(from, name)[2] ?? 'u64'
      return (payloads[kind] as fc.Arbitrary<unknown>).map((payload) => ({ from, name, payload }))
    })
    const property = fc.property(replies, ({ from, name, payload }) => {
      const { header, payload: bytes } = split(encodeReply(from, name as never, payload as never))
      assert.equal(header.isReply, true)
      assert.deepEqual(decodeReply(from, name as never, header, bytes, 0), payload)
    })
    fc.assert(property, { numRuns: 3000 })
  })

  test('has a number of its own for each request of a side, without a gap', () => {
    for (const table of [frontendRequests, backendRequests]) {
      const numbers = Object.values(table).map(([number]) => number)
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => index + 1),
      )
    }
  })
})

describe('a header', () => {
  test('is refused with another version, with flags that nobody knows, and with too long a payload', () => {
    assert.match(
      refusal(() => decodeHeader(words(1, 0, 0))),
      /version 0, not 1/,
    )
    assert.match(
      refusal(() => decodeHeader(words(1, 2, 0))),
      /version 2, not 1/,
    )
    assert.match(
      refusal(() => decodeHeader(words(1, 0x11, 0))),
      /unknown flags: 0x11/,
    )
    assert.match(
      refusal(() => decodeHeader(words(1, 1, 4097))),
      /4097 bytes follow: too many/,
    )
    assert.match(
      refusal(() => decodeHeader(words(1, 1, 0xffff_ffff))),
      /too many/,
    )
    assert.deepEqual(decodeHeader(words(1, 9, 4096)), {
      number: 1,
      isReply: false,
      needReply: true,
      size: 4096,
    })
  })
})

describe('a request is refused', () => {
  test('that does not exist, or that comes as a reply', () => {
    assert.match(
      refusal(() => decoded(words(0, 1, 0))),
      /no request 0/,
    )
    assert.match(
      refusal(() => decoded(words(99, 1, 0))),
      /no request 99/,
    )
    assert.match(
      refusal(() => decoded(words(1, 5, 0))),
      /GET_FEATURES came as a reply/,
    )
  })

  test('whose payload is too short or too long for it', () => {
    assert.match(
      refusal(() => decoded(words(2, 1, 4, 0))),
      /^SET_FEATURES has a payload of 4 bytes, not of 8$/,
    )
    assert.match(
      refusal(() => decoded(words(1, 1, 4, 0))),
      /GET_FEATURES .* 4 bytes, not of 0/,
    )
    assert.match(
      refusal(() => decoded(words(31, 1, 16, 0, 0, 0, 0))),
      /16 bytes, not of 20 to 24/,
    )
  })

  test('whose payload says otherwise than it is', () => {
    assert.match(
      refusal(() => decoded(words(5, 1, 8, 1, 0))),
      /A table of 1 regions cannot have 8 bytes/,
    )
    assert.match(
      refusal(() => decoded(words(5, 1, 8, 0x800_0000, 0))),
      /134217728 regions/,
    )
    assert.match(
      refusal(() => decoded(words(24, 1, 12, 0, 4, 0))),
      /names 4 bytes of the configuration and carries 0/,
    )
    assert.match(
      refusal(() => decoded(words(12, 1, 8, 0x200, 0))),
      /0x200 is no number of a vring/,
    )
  })

  test('that has a number of 2^53 or more where an address or a size is due', () => {
    const beyond = words(37, 1, 40, 0, 0, 0, 0x20_0000, 0, 0, 0, 0, 0, 0)
    assert.match(
      refusal(() => decoded(beyond, 1)),
      /0x20000000000000 is too large/,
    )
    const below = words(37, 1, 40, 0, 0, 0xffff_ffff, 0x1f_ffff, 0, 0, 0, 0, 0, 0)
    const { payload } = decoded(below, 1)
    assert.equal((payload as { guest: number }).guest, Number.MAX_SAFE_INTEGER)
  })

  test('that comes with more or fewer descriptors than it wants', () => {
    const call = (flag: number): Uint8Array => words(13, 1, 8, flag, 0)
    assert.match(
      refusal(() => decoded(call(0), 0)),
      /^SET_VRING_CALL came with 0 descriptors, not with 1$/,
    )
    assert.match(
      refusal(() => decoded(call(0x100), 1)),
      /1 descriptors, not with 0/,
    )
    assert.match(
      refusal(() => decoded(words(1, 1, 0), 1)),
      /1 descriptors, not with 0/,
    )
    const remove = words(38, 1, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert.equal(decoded(remove, 1).request, 'REM_MEM_REG')
    assert.match(
      refusal(() => decoded(remove, 2)),
      /2 descriptors, not with 0 to 1/,
    )
    const table = encodeRequest('frontend', 'SET_MEM_TABLE', [
      { guest: 0, size: 1, user: 0, offset: 0 },
    ])
    assert.match(
      refusal(() => decoded(table, 2)),
      /2 descriptors, not with 1/,
    )
  })
})

describe('a reply is refused', () => {
  const reply = (message: Uint8Array, name: RequestName): string => {
    const { header, payload } = split(message)
    return refusal(() => decodeReply('frontend', name, header, payload, 0))
  }

  test('that belongs to another request, is none, or is of a wrong size', () => {
    assert.match(
      reply(words(2, 5, 8, 0, 0), 'GET_FEATURES'),
      /^A reply to GET_FEATURES was due, and a reply to message 2 came$/,
    )
    assert.match(reply(words(1, 1, 8, 0, 0), 'GET_FEATURES'), /was due, and message 1 came/)
    assert.match(reply(words(1, 5, 0), 'GET_FEATURES'), /payload of 0 bytes, not of 8/)
    assert.match(reply(words(24, 5, 4, 0), 'GET_CONFIG'), /has no head/)
  })
})
