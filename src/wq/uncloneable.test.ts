import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue } from '../index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, moduleOf } from './contract/support.fixture.js'

checkForLeaks()

const current = JSON.stringify(new URL('./current.js', import.meta.url).href)
const module = moduleOf(`
  import { current } from ${current}
  export const method = () => () => {}
  export async function* items() { yield 1; yield () => {} }
  export const tell = () => current().progress(() => {})
  export const one = () => 1
`)

describe('what cannot be cloned is refused with ERR_NOT_CLONEABLE', () => {
  test('as an item of a stream, behind those before it', async () => {
    await using queue = new WorkQueue(module, { maxWorkers: 1 })
    const items: unknown[] = []
    const taken = async (): Promise<void> => {
      for await (const item of queue.stream('items')) items.push(item)
    }
    assert.equal((await failureOf(taken())).code, 'ERR_NOT_CLONEABLE')
    assert.deepEqual(items, [1])
  })

  test('as something that a handler tells of its work', async () => {
    await using queue = new WorkQueue(module, { maxWorkers: 1 })
    assert.equal((await failureOf(queue.run('tell'))).code, 'ERR_NOT_CLONEABLE')
  })

  test('as an argument and as a result of a broadcast', async () => {
    await using queue = new WorkQueue(module, { maxWorkers: 1 })
    await queue.ready()
    assert.equal((await failureOf(queue.broadcast('one', [() => {}]))).code, 'ERR_NOT_CLONEABLE')
    assert.equal((await failureOf(queue.broadcast('method'))).code, 'ERR_NOT_CLONEABLE')
    assert.deepEqual(await queue.broadcast('one'), [1])
  })
})
