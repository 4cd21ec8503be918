/**
 * What every back end holds, whatever its bytes are in.
 *
 * @module
 */
import { strict as assert } from 'node:assert'
import { after, before, describe, test } from 'node:test'
import { seeded } from '../../os/random.js'
import type { BackEnd, Bytes, Done, Outcome } from './back-end.js'
import { TestMemory } from './request.fixture.js'

/** A back end under test, open twice over the same bytes, as two threads have it. */
export interface Opened {
  readonly one: BackEnd
  readonly other: BackEnd
  /** Waits a little for what goes on in one of them; those that never say 'later' need none. */
  readonly wait?: (by: BackEnd) => void | Promise<void>
  close(): void
}

/** Disks of the suite have so many bytes. */
export const suiteBytes: number = 2 ** 20

/** An operation, waited for. */
async function end(
  wait: Opened['wait'],
  by: BackEnd,
  operation: (done: Done) => Outcome,
): Promise<boolean> {
  const answers: boolean[] = []
  const outcome = operation((ok) => answers.push(ok))
  if (outcome === 'later') while (answers.length === 0) await wait?.(by)
  assert.equal(answers.length, outcome === 'later' ? 1 : 0, 'it is told once, and only later')
  return answers[0] ?? outcome === 'done'
}

/**
 * The suite.
 *
 * @param open - gives a back end of {@link suiteBytes} bytes, all zero
 */
export function backEndContract(open: () => Opened | Promise<Opened>): void {
  let opened: Opened
  let memory: TestMemory
  before(async () => {
    opened = await open()
    memory = new TestMemory()
  })
  after(() => {
    opened.close()
    memory.free()
  })

  const write = (
    by: BackEnd,
    offset: number,
    data: Uint8Array,
    sizes = [data.length],
    skew = 0,
  ) => {
    memory.reset()
    const segments = memory.pieces(sizes, 512, skew)
    segments.write(0, data)
    const bytes: Bytes = { segments, from: 0, length: data.length }
    return end(opened.wait, by, (done) => by.write(bytes, offset, done))
  }
  const read = async (by: BackEnd, offset: number, sizes: readonly number[], skew = 0) => {
    memory.reset()
    const segments = memory.pieces(sizes, 512, skew)
    const bytes: Bytes = { segments, from: 0, length: segments.length }
    assert.ok(await end(opened.wait, by, (done) => by.read(bytes, offset, done)))
    memory.checkGuards()
    return segments.all()
  }
  const zero = (by: BackEnd, offset: number, length: number, mayUnmap: boolean) =>
    end(opened.wait, by, (done) => by.zero(offset, length, mayUnmap, done))
  const filled = (length: number, seed: number): Uint8Array => {
    const next = seeded(seed)
    return Uint8Array.from({ length }, () => next(256))
  }

  test('has the size it was opened with, and is all zero', async () => {
    assert.equal(opened.one.size, suiteBytes)
    assert.ok((await read(opened.one, 0, [suiteBytes])).every((byte) => byte === 0))
  })

  test('gives back what was written, in whatever pieces, to both of its threads', async () => {
    const data = filled(8192, 1)
    assert.ok(await write(opened.one, 1024, data, [512, 1024, 6656]))
    assert.deepEqual(await read(opened.one, 1024, [4096, 4096]), data)
    assert.deepEqual(await read(opened.other, 1024, [8192]), data)
    assert.deepEqual(await read(opened.other, 1536, [512]), data.subarray(512, 1024))
  })

  test('takes memory that is aligned to nothing, and pieces of odd sizes', async () => {
    const data = filled(4096, 2)
    assert.ok(await write(opened.one, 65536, data, [1, 1000, 3095], 3))
    assert.deepEqual(await read(opened.other, 65536, [5, 4091], 7), data)
  })

  test('takes more pieces than one system call does', async () => {
    const data = filled(3072, 3)
    const sizes = Array.from({ length: 1536 }, () => 2)
    assert.ok(await write(opened.one, 131072, data, sizes))
    assert.deepEqual(await read(opened.other, 131072, sizes), data)
  })

  test('changes nothing beside what is written', async () => {
    assert.ok(await write(opened.one, 200 * 512, filled(1536, 4).fill(1)))
    assert.ok(await write(opened.other, 201 * 512, filled(512, 4).fill(2)))
    const bytes = await read(opened.one, 199 * 512, [5 * 512])
    const sectors = [0, 1, 2, 3, 4].map((sector) => bytes[sector * 512])
    assert.deepEqual(sectors, [0, 1, 2, 1, 0])
  })

  test('goes to the last byte', async () => {
    const data = filled(512, 5)
    assert.ok(await write(opened.one, suiteBytes - 512, data))
    assert.deepEqual(await read(opened.other, suiteBytes - 512, [512]), data)
  })

  for (const mayUnmap of [false, true]) {
    const how = mayUnmap ? 'and gives its space back' : 'and keeps its space'
    test(`zeroes a range ${how}`, async () => {
      assert.ok(await write(opened.one, 262144, filled(65536, 6).fill(7)))
      assert.ok(await zero(opened.other, 262144 + 512, 32768, mayUnmap))
      const bytes = await read(opened.one, 262144, [65536])
      assert.ok(bytes.subarray(512, 33280).every((byte) => byte === 0))
      assert.ok(bytes.subarray(0, 512).every((byte) => byte === 7))
      assert.ok(bytes.subarray(33280).every((byte) => byte === 7))
    })
  }

  test('discards a range, and leaves what lies beside it', async () => {
    assert.ok(await write(opened.one, 524288, filled(65536, 8).fill(9)))
    assert.ok(await end(opened.wait, opened.one, (done) => opened.one.discard(528384, 8192, done)))
    assert.equal((await read(opened.other, 528384 - 512, [512]))[511], 9)
    assert.equal((await read(opened.other, 536576, [512]))[0], 9)
  })

  test('flushes', async () => {
    assert.ok(await end(opened.wait, opened.one, (done) => opened.one.flush(done)))
  })

  describe('as a plain array', () => {
    test('holds the same bytes after any sequence of operations', async () => {
      const next = seeded(11)
      const reference = await read(opened.one, 0, [suiteBytes])
      for (let turn = 0; turn < 400; turn++) {
        const by = next(2) === 0 ? opened.one : opened.other
        const sectors = 1 + next(next(4) === 0 ? 100 : 12)
        const offset = 512 * next(suiteBytes / 512 - sectors)
        const length = 512 * sectors
        const what = next(8)
        if (what < 4) {
          const cut = 1 + next(length - 1)
          const data = filled(length, turn)
          assert.ok(await write(by, offset, data, [cut, length - cut], next(2)))
          reference.set(data, offset)
        } else if (what === 4) {
          assert.ok(await zero(by, offset, length, next(2) === 0))
          reference.fill(0, offset, offset + length)
        } else if (what === 5) {
          assert.ok(await end(opened.wait, by, (done) => by.flush(done)))
        } else {
          const bytes = await read(by, offset, [length])
          assert.deepEqual(bytes, reference.slice(offset, offset + length), `turn ${turn}`)
        }
      }
      assert.deepEqual(await read(opened.one, 0, [suiteBytes]), reference)
    })
  })
}
