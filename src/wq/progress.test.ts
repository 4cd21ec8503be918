import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue } from '../index.js'
import { runProgram } from '../worker/program.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { moduleOf } from './contract/support.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('../index.js', import.meta.url).href)
const current = JSON.stringify(new URL('./current.js', import.meta.url).href)
const module = moduleOf(`
  import { current } from ${current}
  export function tell(count) {
    for (let index = 0; index < count; index++) current().progress(index)
    return count
  }
  export function tellAndFail() { current().progress(1); throw new RangeError('so') }
  export async function* items() { current().progress('before'); yield 1; current().progress('after') }
`)

describe('onProgress', () => {
  test('gets everything that a handler tells, in order, before the work settles', async () => {
    await using queue = new WorkQueue(module, { maxWorkers: 1 })
    for (let round = 0; round < 20; round++) {
      const told: unknown[] = []
      const count = await queue.run('tell', [5], { onProgress: (value) => told.push(value) })
      assert.deepEqual([count, told], [5, [0, 1, 2, 3, 4]])
    }
  })

  test('gets what the handler of a stream tells, beside its items', async () => {
    await using queue = new WorkQueue(module, { maxWorkers: 1 })
    const told: unknown[] = []
    const items: unknown[] = []
    const onProgress = (value: unknown): unknown => told.push(value)
    for await (const item of queue.stream('items', [], { onProgress })) items.push(item)
    assert.deepEqual([items, told], [[1], ['before', 'after']])
  })

  test('may throw: that is an uncaught error of its own, and the work settles all the same', async () => {
    const { out } = await runProgram(`
      const { WorkQueue } = await import(${index})
      let uncaught = 0
      process.on('uncaughtException', () => uncaught++)
      const queue = new WorkQueue(${JSON.stringify(module)}, { maxWorkers: 1 })
      let settled = 0
      const onProgress = () => { throw new Error('mine') }
      for (let round = 0; round < 50; round++) {
        await queue.run('tellAndFail', [], { onProgress }).catch(() => settled++)
      }
      console.log(settled, uncaught)
      await queue.close()`)
    assert.equal(out, '50 50\n')
  })
})
