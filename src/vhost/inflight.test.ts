import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { InflightTracker, inflightQueueBytes } from './inflight.js'

checkForLeaks()

const size = 8
/** So that indices wrap around. */
const firstIndex = 65_530

/** The process ends before its next write to shared memory. */
class Crash extends Error {}

/** Runs until so many writes are done. @returns whether it came to its end */
function crashAfter(writes: number, run: () => void): boolean {
  const { store } = Atomics
  let left = writes
  Atomics.store = ((words: Int32Array, index: number, value: number) => {
    if (left-- === 0) throw new Crash()
    return store(words, index, value)
  }) as typeof store
  try {
    run()
    return true
  } catch (error) {
    if (error instanceof Crash) return false
    throw error
  } finally {
    Atomics.store = store
  }
}

/** The driver and the region: what outlives the backend. */
class World {
  readonly region = new ArrayBuffer(inflightQueueBytes(size))
  /** The head at each position of the available ring, from the beginning on. */
  readonly available: number[] = []
  /** The positions that are not given back. */
  readonly open = new Set<number>()
  usedIndex = firstIndex
  /** Positions whose `begin` has returned. */
  begun = 0

  get free(): number[] {
    const taken = new Set([...this.open].map((position) => this.available[position]))
    return Array.from({ length: size }, (_, head) => head).filter((head) => !taken.has(head))
  }

  positionOf(head: number): number {
    return this.available.lastIndexOf(head)
  }

  /** The driver makes one of its free heads available. */
  offer(choice: number): void {
    const { free } = this
    const head = free[choice % free.length]
    if (head === undefined) return
    this.open.add(this.available.length)
    this.available.push(head)
  }

  /** The used ring's idx is stored: the driver sees them. */
  publish(positions: readonly number[]): void {
    for (const position of positions) assert.ok(this.open.delete(position), 'none is done twice')
    this.usedIndex = (this.usedIndex + positions.length) & 0xffff
  }
}

/** One life of a backend: it recovers, then does what the script says. */
function live(world: World, script: Iterator<number>): void {
  const tracker = new InflightTracker(world.region, size)
  const { heads, base } = tracker.recover(world.usedIndex)
  const done = world.available.length - world.open.size
  let next = done + ((base - world.usedIndex) & 0xffff)
  const mine = heads.map((head) => world.positionOf(head))
  // What is before `base` is either done, or to be done again; in the order of the available ring.
  const due = [...world.open].filter((position) => position < next).toSorted((a, b) => a - b)
  assert.deepEqual(mine, due)
  assert.ok(next >= world.begun, 'what was begun is not taken as new')
  for (let step = script.next(); step.done !== true; step = script.next()) {
    const [action, choice] = [step.value % 3, Math.floor(step.value / 3)]
    if (action === 0) world.offer(choice)
    else if (action === 1 && next < world.available.length) {
      tracker.begin(world.available[next] as number)
      mine.push(next)
      next += 1
      world.begun = next
    } else if (action === 2 && mine.length > 0) {
      const batch = mine.splice(choice % mine.length, 1 + (choice % 3))
      for (const position of batch) tracker.batch(world.available[position] as number)
      world.publish(batch)
      tracker.complete(world.usedIndex)
    }
  }
}

describe('the in-flight region', () => {
  test('loses no request, and repeats none that the driver saw done, at a crash at any write', () => {
    const script = fc.array(fc.nat(47), { minLength: 10, maxLength: 60 })
    const later = fc.array(fc.nat(40), { maxLength: 3 })
    fc.assert(
      fc.property(script, later, (steps, crashes) => {
        for (let first = 0; ; first += 1) {
          const world = new World()
          const rest = steps.values()
          const ended = [first, ...crashes].map((writes) =>
            crashAfter(writes, () => live(world, rest)),
          )
          live(world, rest)
          if (ended[0] === true) break
        }
      }),
      { numRuns: 60 },
    )
  })

  test('says nothing of a queue that has just begun', () => {
    const region = new ArrayBuffer(inflightQueueBytes(size))
    assert.deepEqual(new InflightTracker(region, size).recover(5), { heads: [], base: 5 })
    const header = new Uint16Array(region, 8, 4)
    // Version, number of descriptors, head of the last batch, idx of the used ring.
    assert.deepEqual([...header], [1, size, 0, 5])
  })

  test('is laid out as the specification says', () => {
    const region = new ArrayBuffer(inflightQueueBytes(size))
    const tracker = new InflightTracker(region, size)
    tracker.recover(0)
    tracker.begin(6)
    tracker.begin(3)
    tracker.batch(3)
    const entry = (head: number): DataView => new DataView(region, 16 + 16 * head, 16)
    assert.equal(entry(6).getUint8(0), 1)
    assert.equal(entry(3).getUint8(0), 1)
    assert.equal(entry(3).getBigUint64(8, true), 1n)
    assert.equal(new DataView(region).getUint16(12, true), 3)
    tracker.batch(6)
    assert.equal(entry(6).getUint16(6, true), 3)
    tracker.complete(2)
    assert.equal(entry(6).getUint8(0) + entry(3).getUint8(0), 0)
    assert.equal(new DataView(region).getUint16(14, true), 2)
    assert.equal(inflightQueueBytes(128), 2112)
  })

  test('of another version, or size, is refused', () => {
    const region = new ArrayBuffer(inflightQueueBytes(size))
    new InflightTracker(region, size).recover(0)
    assert.throws(() => new InflightTracker(region, 4).recover(0), /for 8 descriptors: .* for 4/)
    new Uint16Array(region)[4] = 2
    assert.throws(() => new InflightTracker(region, size).recover(0), /of version 2/)
  })

  test('that a hostile frontend wrote leads nowhere but to heads of the vring', () => {
    const words = fc.array(fc.integer(), { minLength: 4 + 4 * size, maxLength: 4 + 4 * size })
    fc.assert(
      fc.property(words, fc.nat(0xffff), (content, usedIndex) => {
        const region = new ArrayBuffer(inflightQueueBytes(size))
        new Int32Array(region).set(content)
        new Int32Array(region)[2] = (size << 16) | 1
        const { heads } = new InflightTracker(region, size).recover(usedIndex)
        assert.equal(new Set(heads).size, heads.length)
        assert.ok(heads.every((head) => head >= 0 && head < size))
      }),
      { numRuns: 5000 },
    )
  })
})
