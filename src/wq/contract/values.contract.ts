import assert from 'node:assert/strict'
import { serialize } from 'node:v8'
import fc from 'fast-check'
import { type Make, word, test } from './support.fixture.js'

/** What the contract says about values. */
export function valuesContract(make: Make): void {
  test('what arrives, and what comes back, equals what postMessage gives', async () => {
    await using queue = make()
    const cyclic: { self?: unknown } = {}
    cyclic.self = cyclic
    const shared = new Uint8Array([1])
    const values = [
      undefined,
      null,
      true,
      0,
      -0,
      NaN,
      Infinity,
      2n ** 80n,
      '',
      'text',
      '\ud800',
      'ü€𝄞',
      [1, undefined, 3],
      { a: { b: [1] } },
      new Map([[{ k: 1 }, new Set([1])]]),
      new Date(0),
      /re/giu,
      new Uint8Array([1, 2, 3]).subarray(1),
      new Float64Array([1.5]),
      new ArrayBuffer(3),
      Buffer.from('abc'),
      new DataView(new ArrayBuffer(4), 1),
      cyclic,
      { one: shared, two: shared },
      new RangeError('as a value'),
      Object.create({ inherited: 1 }),
      new (class Point {
        x = 1
      })(),
      new Number(3),
      'x'.repeat(100_000),
    ]
    for (const value of values)
      assert.deepEqual(await queue.run('echo', [value]), structuredClone(structuredClone(value)))
  })

  test('and so for any value', async () => {
    await using queue = make()
    const any = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
    })
    await fc.assert(
      fc.asyncProperty(any, async (value) => {
        // Compared as bytes: to `deepEqual` an invalid date is not even equal to itself.
        const [given, got] = [
          structuredClone(structuredClone(value)),
          await queue.run('echo', [value]),
        ]
        // Both are copied once more: how an engine keeps an array inside is nobody's promise.
        assert.ok(serialize(structuredClone(got)).equals(serialize(structuredClone(given))))
      }),
      { numRuns: 150 },
    )
  })

  test('shared memory stays shared', async () => {
    await using queue = make()
    const counter = word()
    await queue.run('count', [counter])
    assert.equal(counter[0], 1)
  })

  test('arguments are those of the moment of submission, whatever becomes of them later', async () => {
    await using queue = make({ maxWorkers: 1 })
    const changing = { value: 0 }
    const results = Array.from({ length: 5 }, () => {
      changing.value++
      return queue.run('echo', [changing])
    })
    changing.value = 99
    assert.deepEqual(
      (await Promise.all(results)).map((each) => (each as typeof changing).value),
      [1, 2, 3, 4, 5],
    )
  })

  test('what is in a transfer list is moved at submission, and moved back from a handler that says so', async () => {
    await using queue = make({ maxWorkers: 1 })
    for (let round = 0; round < 3; round++) {
      const bytes = [new Uint8Array([1, 2]), new Uint8Array([3, 4])]
      const results = bytes.map((each) => queue.run('moved', [each], { transfer: [each.buffer] }))
      assert.deepEqual(
        bytes.map((each) => each.byteLength),
        [0, 0],
      )
      assert.deepEqual(await Promise.all(results), [new Uint8Array([1, 2]), new Uint8Array([3, 4])])
    }
  })

  test('a transfer list moves at submission also where it is in no argument', async () => {
    await using queue = make({ maxWorkers: 1 })
    await queue.run('nothing')
    const buffers = [new ArrayBuffer(8), new ArrayBuffer(8)]
    const works = buffers.map((buffer) => queue.run('add', [1, 2], { transfer: [buffer] }))
    assert.deepEqual(
      buffers.map(({ byteLength }) => byteLength),
      [0, 0],
    )
    assert.deepEqual(await Promise.all(works), [3, 3])
  })
}
