/**
 * Whatever bytes come, they are a message by the rules, or they are refused by a ProtocolError.
 *
 * Cases are made of messages that keep the rules, of which a little is broken then: so most get past
 * the header, and it is the payloads that are tried.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { root } from '../root.js'

async function built(file: string): Promise<unknown> {
  return import(pathToFileURL(join(root, 'dist', 'vhost', file)).href)
}

const { decodeHeader, decodeReply, decodeRequest, encodeRequest, headerBytes } = (await built(
  'message.js',
)) as typeof import('../../src/vhost/message.js')
const { ProtocolError } = (await built(
  'protocol-error.js',
)) as typeof import('../../src/vhost/protocol-error.js')
const { requestNames, requests } = (await built(
  'payloads.fixture.js',
)) as typeof import('../../src/vhost/payloads.fixture.js')

const cases = 100_000
const leastShare = 0.5

type Side = 'frontend' | 'backend'

interface Case {
  readonly from: Side
  readonly bytes: Uint8Array
  readonly descriptors: number
}

/** What is done to a message. Offsets and lengths are taken modulo the message's own. */
type Break =
  | { readonly does: 'nothing' }
  | { readonly does: 'set'; readonly offset: number; readonly value: number }
  | { readonly does: 'word'; readonly offset: number; readonly value: number }
  | { readonly does: 'length'; readonly by: number; readonly tells: boolean }

const interesting = [0, 1, 7, 8, 9, 0xff, 0x100, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x20_0000]

const breaks: fc.Arbitrary<Break> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ does: 'nothing' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('set' as const),
      offset: fc.nat(),
      value: fc.nat({ max: 255 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('word' as const),
      offset: fc.nat(),
      value: fc.constantFrom(...interesting),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('length' as const),
      by: fc.integer({ min: -40, max: 40 }),
      tells: fc.boolean(),
    }),
  },
)

/** A message with `what` done to it. Seldom the header is hit; mostly the payload, where there is one. */
function broken(message: Uint8Array, what: Break, alsoHeader: boolean): Uint8Array {
  if (what.does === 'nothing') return message
  if (what.does === 'length') {
    const bytes = new Uint8Array(Math.max(headerBytes, message.byteLength + what.by))
    bytes.set(message.subarray(0, bytes.byteLength))
    if (what.tells) new Uint32Array(bytes.buffer, 8, 1)[0] = bytes.byteLength - headerBytes
    return bytes
  }
  const bytes = message.slice()
  const first = alsoHeader ? 0 : headerBytes
  const room = bytes.byteLength - first
  if (room < 4) return bytes
  const offset = first + (what.offset % (what.does === 'word' ? room - 3 : room))
  if (what.does === 'set') bytes[offset] = what.value
  else new DataView(bytes.buffer).setUint32(offset, what.value, true)
  return bytes
}

const made: fc.Arbitrary<Case> = fc
  .tuple(
    requests,
    fc.array(breaks, { minLength: 1, maxLength: 3 }),
    fc.nat({ max: 9 }),
    fc.option(fc.nat({ max: 9 }), { freq: 4 }),
  )
  .map(([{ from, name, payload, needReply, descriptors }, all, chance, other]) => ({
    from,
    bytes: all.reduce(
      (bytes, what) => broken(bytes, what, chance === 0),
      encodeRequest(from, name as never, payload as never, needReply),
    ),
    descriptors: other ?? descriptors,
  }))

const garbage: fc.Arbitrary<Case> = fc.record({
  from: fc.constantFrom<Side>('frontend', 'backend'),
  bytes: fc.uint8Array({ minLength: 12, maxLength: 200 }),
  descriptors: fc.nat({ max: 9 }),
})

/** @returns how far it came; fails on anything else than a message or a refusal */
function tried(read: () => void): boolean {
  try {
    read()
    return true
  } catch (error) {
    assert.ok(error instanceof ProtocolError, `not refused as it should be: ${String(error)}`)
    assert.match(error.message, /^[^\n]{10,150}$/, 'one sentence')
    return false
  }
}

describe('any bytes', () => {
  test('are a message of vhost-user by the rules, or are refused by a ProtocolError', () => {
    const counts = { all: 0, headers: 0, messages: 0, replies: 0 }
    const one = fc.property(
      fc.oneof({ weight: 19, arbitrary: made }, { weight: 1, arbitrary: garbage }),
      fc.constantFrom(...requestNames),
      ({ from, bytes, descriptors }, asked) => {
        counts.all++
        let header: ReturnType<typeof decodeHeader> | null = null
        if (!tried(() => void (header = decodeHeader(bytes))) || header === null) return
        counts.headers++
        const { size } = header as { size: number }
        // Whoever reads reads so many bytes; a message that ends before has no more.
        const payload = new Uint8Array(size)
        payload.set(bytes.subarray(headerBytes, headerBytes + size))
        const request = header
        if (tried(() => void decodeRequest(from, request, payload, descriptors))) counts.messages++
        const replied = { ...(header as object), isReply: true } as never
        const name = asked.name as never
        if (tried(() => void decodeReply(asked.from, name, replied, payload, descriptors))) {
          counts.replies++
        }
      },
    )
    fc.assert(one, { numRuns: cases, endOnFailure: true })
    const share = (count: number): string => `${((100 * count) / counts.all).toFixed(1)} %`
    console.log(
      `vhost messages: ${counts.all} cases, ${share(counts.headers)} past the header, ` +
        `${share(counts.messages)} messages, ${share(counts.replies)} replies`,
    )
    assert.equal(counts.all, cases)
    assert.ok(counts.headers / counts.all >= leastShare, 'too few cases get past the header')
    assert.ok(counts.messages > cases / 20, 'hardly any case is a message')
    assert.ok(counts.messages < counts.headers, 'no payload was refused')
  })
})
