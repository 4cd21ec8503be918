import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { GuardedMemory, regions } from './guarded.fixture.js'
import {
  RingError,
  SplitQueue,
  VIRTIO_RING_F_EVENT_IDX,
  VIRTIO_RING_F_INDIRECT_DESC,
  type Chain,
  type QueueSetup,
} from './index.js'
import { plainly, plainOf, RawQueue, usual, type Extents } from './raw-queue.fixture.js'

checkForLeaks()

const cases = 60_000
const choicesOfACase = 120
const mostCopied = 0x8000
const tables = 0x11000
const [low] = regions

/** What a case consists of, decided by bytes: zeroes are the plainest case. */
class Choices {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  below(count: number): number {
    const byte = this.#bytes[this.#at++] ?? 0
    return count <= 256 ? byte % count : (byte * 256 + (this.#bytes[this.#at++] ?? 0)) % count
  }

  among<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)] as Value
  }

  /** True in one of so many cases. */
  oneIn(count: number): boolean {
    return this.below(count) === count - 1
  }
}

const oddAddresses = [
  ...regions.flatMap(({ guest, size }) => [guest, guest - 1, guest + size - 1, guest + size]),
  0,
  tables,
  tables + 8,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 53n + BigInt(low.guest),
  2n ** 63n + BigInt(low.guest),
  2n ** 64n - 1n,
  2n ** 64n - 16n,
]
const oddLengths = [
  0,
  1,
  15,
  16,
  17,
  24,
  0x3000,
  0x4000,
  0x4001,
  2 ** 31,
  2 ** 32 - 16,
  2 ** 32 - 1,
]
const oddNumbers = [0, 1, 2, 15, 16, 17, 255, 256, 32_768, 65_535]

/** Somewhere in the memory where no part of the queue usually is. */
function someData(choices: Choices): { address: number; length: number } {
  const { guest, size } = choices.among(regions)
  const offset = 0x1800 + choices.below(size - 0x1800)
  const length = choices.among([16, 1, 512, 0, 4096, 0x1ff1])
  return { address: guest + offset, length: Math.min(length, size - offset) }
}

function someSetup(choices: Choices): QueueSetup {
  return {
    ...usual,
    size: choices.among([16, 16, 16, 8, 4, 1]),
    features:
      (choices.oneIn(4) ? 0n : VIRTIO_RING_F_INDIRECT_DESC) |
      (choices.oneIn(2) ? VIRTIO_RING_F_EVENT_IDX : 0n),
    base: choices.among([0, 65_535, 65_533, 1000]),
  }
}

/** Writes chains by the rules; gives how many descriptors they have. */
function writeChains(choices: Choices, raw: RawQueue, setup: QueueSetup): void {
  let free = 0
  for (let chain = choices.below(4); chain >= 0 && free < setup.size; chain--) {
    const count = 1 + choices.below(4)
    const readable = choices.below(count + 1)
    const isTable = setup.features & VIRTIO_RING_F_INDIRECT_DESC && choices.oneIn(2)
    const table = isTable ? tables + 0x100 * chain : undefined
    const room = table === undefined ? Math.min(count, setup.size - free) : count
    const first = table === undefined ? free : 0
    for (let index = 0; index < room; index++) {
      const flags = (index < readable ? 0 : 2) | (index + 1 < room ? 1 : 0)
      const next = index + 1 < room ? first + index + 1 : 0
      raw.describe(first + index, { ...someData(choices), flags, next }, table)
    }
    if (table !== undefined)
      raw.describe(free, { address: table, length: 16 * room, flags: 4, next: 0 })
    raw.offer(free)
    free += table === undefined ? room : 1
  }
}

/** Breaks one field, as an attacker would. @returns what is to be changed in the setup */
function mutate(choices: Choices, guarded: GuardedMemory, setup: QueueSetup): Partial<QueueSetup> {
  const { available, descriptors, used, size } = setup
  const table = choices.among([descriptors, tables, tables + 0x100])
  const at = table + 16 * choices.below(Math.min(size, 4))
  switch (choices.below(10)) {
    case 0:
      guarded.put(at, 8, choices.among(oddAddresses))
      break
    case 1:
      guarded.put(at + 8, 4, choices.among(oddLengths))
      break
    case 2:
      guarded.put(at + 12, 2, choices.below(8))
      break
    case 3:
      guarded.put(at + 12, 2, choices.below(65_536))
      break
    case 4:
      guarded.put(at + 14, 2, choices.among(oddNumbers))
      break
    case 5:
      guarded.put(available + 4 + 2 * choices.below(size), 2, choices.among(oddNumbers))
      break
    case 6:
      guarded.put(available + 2, 2, (setup.base + choices.among(oddNumbers)) % 65_536)
      break
    case 7:
      guarded.put(at + 8, 4, guarded.get(at + 8, 4) + 1n)
      break
    case 8:
      for (let byte = 0; byte < 16; byte += 2) guarded.put(at + byte, 2, choices.below(65_536))
      break
    default: {
      const part = choices.among(['descriptors', 'available', 'used'] as const)
      return { [part]: Number(choices.among([...oddAddresses, used + 2, at + 8])) }
    }
  }
  return {}
}

function asText({ readable, writable }: { readable: Extents; writable: Extents }): string {
  return `${readable.join(' ')} / ${writable.join(' ')}`
}

/** A device that reads all there is, and writes wherever it may. */
function serve(chain: Chain, guarded: GuardedMemory, expected: { readable: Extents }): void {
  const { readable, writable } = chain
  if (readable.length <= mostCopied) {
    const bytes = new Uint8Array(readable.length + 1)
    assert.equal(readable.read(0, bytes), readable.length)
    const parts = expected.readable.map(([address, length]) => guarded.at(address, Number(length)))
    const same = Buffer.compare(Buffer.concat(parts as Uint8Array[]), bytes.subarray(0, -1))
    assert.equal(same, 0, 'other bytes were read than the guest wrote')
  }
  writable.fill(0, Math.min(writable.length, mostCopied), 0x5a)
  chain.complete(writable.length)
}

/** Why the next request is refused rightly; empty where it is not. */
function fault(guarded: GuardedMemory, setup: QueueSetup, queue: SplitQueue): string {
  const { available, size } = setup
  const next = queue.nextAvailable
  const ahead = (Number(guarded.get(available + 2, 2)) - next + 65_536) % 65_536
  if (ahead > size) return 'the index'
  const head = Number(guarded.get(available + 4 + 2 * (next % size), 2))
  return head >= size || plainly(guarded, setup, head) === null ? 'the chain' : ''
}

/** Runs a case. @returns whether the queue was there and its first chain was taken */
function run(bytes: Uint8Array, guarded: GuardedMemory): boolean {
  guarded.fill()
  const choices = new Choices(bytes)
  const written = someSetup(choices)
  writeChains(choices, new RawQueue(guarded, written), written)
  const count = choices.among([0, 0, 0, 1, 1, 2, 3])
  const broken = Array.from({ length: count }, () => mutate(choices, guarded, written))
  const setup: QueueSetup = Object.assign({}, written, ...broken)
  let taken = 0
  try {
    const queue = new SplitQueue(guarded.memory, setup)
    for (; taken < 2 * setup.size; taken++) {
      let chain: Chain | null
      try {
        chain = queue.next()
      } catch (error) {
        if (error instanceof RingError)
          assert.notEqual(fault(guarded, setup, queue), '', `refused wrongly: ${error.message}`)
        throw error
      }
      if (chain === null) break
      const expected = plainly(guarded, setup, chain.head)
      assert.ok(expected, 'a chain was taken that breaks a rule')
      assert.equal(asText(plainOf(chain)), asText(expected))
      serve(chain, guarded, expected)
      queue.publish()
      queue.shouldCall()
    }
    queue.enableKicks()
  } catch (error) {
    if (!(error instanceof RingError)) throw error
  }
  guarded.checkGuards()
  return taken > 0
}

describe('a guest that breaks the rules', () => {
  test('gets a broken ring and nothing else: no access outside, no chain that is wrong', (context) => {
    const guarded = new GuardedMemory()
    let passed = 0
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: choicesOfACase, maxLength: choicesOfACase }),
        (bytes) => {
          if (run(bytes, guarded)) passed++
        },
      ),
      { numRuns: cases, includeErrorInReport: true },
    )
    const share = passed / cases
    const figure = `${Math.round(share * 100)} %`
    context.diagnostic(`${cases} rings: the first chain of ${figure} was taken`)
    assert.ok(share >= 0.5, `only ${figure} of the cases pass the first checks`)
    assert.ok(share < 0.95, `${figure} of the cases are harmless`)
  })
})
