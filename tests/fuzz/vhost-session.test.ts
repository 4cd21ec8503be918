/**
 * Whatever a frontend says, in whatever order: a session does it, refuses it, or ends; the backend is
 * never told what its contract does not allow; and at the end nothing is left.
 *
 * Cases are rows of requests that are mostly right, so that most of them come to vrings that run.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import type { PayloadOf, RequestName } from '../../src/vhost/message.js'
import { root } from '../root.js'

async function built(file: string): Promise<unknown> {
  return import(pathToFileURL(join(root, 'dist', file)).href)
}

const { FakeBackend } = (await built(
  'vhost/backend.fixture.js',
)) as typeof import('../../src/vhost/backend.fixture.js')
const { Session } = (await built('vhost/session.js')) as typeof import('../../src/vhost/session.js')
const { Ownership } = (await built(
  'vhost/ownership.js',
)) as typeof import('../../src/vhost/ownership.js')
const { ProtocolError } = (await built(
  'vhost/protocol-error.js',
)) as typeof import('../../src/vhost/protocol-error.js')
const { Refusal } = (await built('vhost/refusal.js')) as typeof import('../../src/vhost/refusal.js')
const { decodeHeader, decodeRequest, encodeRequest, headerBytes } = (await built(
  'vhost/message.js',
)) as typeof import('../../src/vhost/message.js')
const { addressesOf, memoryBytes, region, sharedMappings, usual } = (await built(
  'vhost/session.fixture.js',
)) as typeof import('../../src/vhost/session.fixture.js')
const { close, event } = (await built('os/events.js')) as typeof import('../../src/os/events.js')
const { memoryFile } = (await built('os/mapping.js')) as typeof import('../../src/os/mapping.js')
const { Descriptors, pair } = (await built(
  'os/sockets.js',
)) as typeof import('../../src/os/sockets.js')

const cases = 20_000
const leastShareThatRan = 0.5
const injected = 'the backend fails'

/** A request, with what makes its descriptors; or a method of the backend that fails at its next call. */
type Step =
  | { readonly say: RequestName; readonly payload: unknown; readonly fds?: (() => number)[] }
  | { readonly fail: string }

const say = <Name extends RequestName>(
  name: Name,
  payload: PayloadOf<Name>,
  ...fds: (() => number)[]
): Step => ({ say: name, payload, fds })

const file = (): number => memoryFile('fuzz', memoryBytes)
const empty = (): number => memoryFile('fuzz', 0)
const socket = (): number => {
  const [mine, its] = pair()
  close(its)
  return mine
}

const vring = fc.nat(1)
const mostly = <T>(right: T, ...wrong: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 20, arbitrary: fc.constant(right) },
    { weight: 1, arbitrary: fc.constantFrom(...wrong) },
  )
const aFile = mostly(file, empty, event)
const aSlot = fc.nat(3).map((slot) => ({
  ...region,
  guest: region.guest + slot * memoryBytes,
  user: region.user + slot * memoryBytes,
}))
const maybeWrong = fc.oneof(
  { weight: 12, arbitrary: aSlot },
  {
    weight: 1,
    arbitrary: fc.record({
      guest: fc.maxSafeNat(),
      size: fc.maxSafeNat(),
      user: fc.maxSafeNat(),
      offset: fc.maxSafeNat(),
    }),
  },
)

function setUp(index: number, base: number): Step[] {
  return [
    say('SET_VRING_NUM', { index, num: 128 }),
    say('SET_VRING_BASE', { index, num: base }),
    say('SET_VRING_ADDR', addressesOf(index)),
    say('SET_VRING_KICK', { index, hasDescriptor: true }, event),
    say('SET_VRING_ENABLE', { index, num: 1 }),
  ]
}

const descriptorRequest = fc
  .tuple(fc.constantFrom('SET_VRING_KICK', 'SET_VRING_CALL', 'SET_VRING_ERR'), vring, fc.boolean())
  .map(([name, index, hasDescriptor]) =>
    say(name as 'SET_VRING_KICK', { index, hasDescriptor }, ...(hasDescriptor ? [event] : [])),
  )

const vringRequest = fc.oneof(
  fc
    .tuple(vring, mostly(128, 0, 3, 64, 65536))
    .map(([index, num]) => say('SET_VRING_NUM', { index, num })),
  fc
    .tuple(vring, fc.oneof(fc.nat(0xffff), fc.nat(0x10010)))
    .map(([index, num]) => say('SET_VRING_BASE', { index, num })),
  fc.tuple(vring, fc.nat(1), mostly(0, 8, 2 ** 40)).map(([index, flags, shift]) => {
    const addresses = addressesOf(index, flags)
    return say('SET_VRING_ADDR', { ...addresses, used: addresses.used + shift })
  }),
  fc
    .tuple(mostly<number>(0, 1, 2, 2 ** 32 - 1), mostly(1, 0, 0, 0, 2))
    .map(([index, num]) => say('SET_VRING_ENABLE', { index, num })),
  vring.map((index) => say('GET_VRING_BASE', { index, num: 0 })),
  descriptorRequest,
)

const sharedRequest = fc.oneof(
  fc.tuple(maybeWrong, aFile).map(([slot, make]) => say('ADD_MEM_REG', slot, make)),
  maybeWrong.map((slot) => say('REM_MEM_REG', slot)),
  fc
    .uniqueArray(maybeWrong, { maxLength: 4, selector: ({ guest }) => guest })
    .map((slots) => say('SET_MEM_TABLE', slots, ...slots.map(() => file))),
  fc
    .tuple(mostly(4096, 0, 12, memoryBytes * 2), mostly(0, 4, 4096), aFile)
    .map(([size, offset, make]) => say('SET_LOG_BASE', { size, offset }, make)),
  fc
    .tuple(mostly(4224, 64, 2 ** 40), fc.nat(3), mostly(128, 0, 64, 65535), aFile)
    .map(([size, queues, queueSize, make]) =>
      say('SET_INFLIGHT_FD', { size, offset: 0, queues, queueSize }, make),
    ),
  fc.nat(3).map((queues) => say('GET_INFLIGHT_FD', { size: 0, offset: 0, queues, queueSize: 128 })),
)

const sessionRequest = fc.oneof(
  mostly(usual, 1n << 50n).map((features) => say('SET_FEATURES', features)),
  fc
    .constantFrom(usual, usual | (1n << 26n), usual & ~(1n << 30n), usual & ~4n)
    .map((features) => say('SET_FEATURES', features)),
  fc.constantFrom(0n, 1n, 15n).map((status) => say('SET_STATUS', status)),
  fc.constantFrom(
    say('GET_STATUS', null),
    say('SET_OWNER', null),
    say('RESET_OWNER', null),
    say('RESET_DEVICE', null),
    say('GET_QUEUE_NUM', null),
    say('SET_LOG_FD', null, event),
    say('GET_CONFIG', { offset: 0, flags: 0, bytes: new Uint8Array(57) }),
    say('SET_CONFIG', { offset: 32, flags: 0, bytes: new Uint8Array(1) }),
    say('SET_CONFIG', { offset: 0, flags: 0, bytes: new Uint8Array(8) }),
    say('SET_BACKEND_REQ_FD', null, socket),
    say('SET_BACKEND_REQ_FD', null, event),
  ),
  mostly(0x1_b22bn, 0n, 1n << 40n).map((bits) => say('SET_PROTOCOL_FEATURES', bits)),
)

const steps = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.tuple(vring, fc.nat(0xffff)).map((of) => setUp(...of)) },
      { weight: 8, arbitrary: vringRequest.map((step) => [step]) },
      { weight: 4, arbitrary: sharedRequest.map((step) => [step]) },
      { weight: 3, arbitrary: sessionRequest.map((step) => [step]) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom('setMemory', 'start', 'stop', 'change', 'setOwner')
          .map((fail): Step[] => [{ fail }]),
      },
    ),
    { minLength: 4, maxLength: 12, size: 'max' },
  )
  .map((rows) => rows.flat())

const beginning: readonly Step[] = [
  say('SET_PROTOCOL_FEATURES', 0x1_b22bn),
  say('SET_OWNER', null),
  say('SET_FEATURES', usual),
  say('SET_MEM_TABLE', [region], file),
]

/** What a case came to. */
interface Outcome {
  ran: boolean
  done: number
}

type Backend = InstanceType<typeof FakeBackend>

/** Says one request, as it comes from a socket. @returns whether the session goes on */
async function handle(
  session: InstanceType<typeof Session>,
  step: Extract<Step, { say: RequestName }>,
  needReply: boolean,
): Promise<boolean> {
  const bytes = encodeRequest('frontend', step.say, step.payload as never, needReply)
  const given = new Descriptors((step.fds ?? []).map((make) => make()))
  try {
    const payload = bytes.subarray(headerBytes)
    await session.handle(
      decodeRequest('frontend', decodeHeader(bytes), payload, given.count),
      given,
    )
    return true
  } catch (error) {
    const { message } = error as Error
    const isAllowed = error instanceof ProtocolError || error instanceof Refusal
    assert.ok(isAllowed || message === injected, `${step.say}: ${String(error)}`)
    assert.match(message, /^[^\n]{10,200}$/, 'one sentence')
    return false
  } finally {
    given.close()
  }
}

async function play(backend: Backend, row: readonly Step[], asks: number): Promise<Outcome> {
  const ownership = new Ownership(backend, 0, (error) => assert.fail(error))
  const session = new Session(backend, ownership, () => {})
  const outcome = { ran: false, done: 0 }
  for (const step of row) {
    if ('fail' in step) backend.failures.set(step.fail, new Error(injected))
    else if (!(await handle(session, step, asks % 4 !== 0))) break
    outcome.done += 1
    outcome.ran ||= backend.running.size > 0
  }
  try {
    await session.end()
  } catch (error) {
    assert.equal((error as Error).message, injected)
  }
  return outcome
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').length

describe('a session', () => {
  test(`keeps its promises to the backend, and leaves nothing, in ${cases} random dialogues`, async () => {
    let ran = 0
    let done = 0
    await play(new FakeBackend(), [...beginning, ...setUp(0, 0)], 1)
    const mapped = sharedMappings()
    const open = openDescriptors()
    const hasBeginning = mostly(true, false)
    await fc.assert(
      fc.asyncProperty(hasBeginning, steps, fc.nat(100), async (begins, rest, asks) => {
        const backend = new FakeBackend()
        const outcome = await play(backend, begins ? [...beginning, ...rest] : rest, asks)
        ran += outcome.ran ? 1 : 0
        done += outcome.done
        assert.deepEqual(backend.violations, [])
        assert.equal(backend.isOwned, false)
        assert.equal(backend.onConfigChange, null)
        assert.equal(openDescriptors(), open, 'descriptors')
        if (asks === 0) assert.equal(sharedMappings(), mapped, 'mappings')
      }),
      { numRuns: cases },
    )
    assert.equal(sharedMappings(), mapped)
    assert.ok(ran / cases >= leastShareThatRan, `a vring ran in ${ran} of ${cases} cases`)
    assert.ok(done / cases >= 8, `${done} requests were done in all`)
  })
})
