import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue } from '../index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { mostBlockBytes } from '../ring/index.js'
import { moduleOf } from './contract/support.fixture.js'
import { untilSync } from './gated-queue.fixture.js'
import type * as Handlers from './handlers.fixture.js'

checkForLeaks()

const module = new URL('./handlers.fixture.js', import.meta.url)

describe('arguments that take all of the room there is for them', () => {
  test('leave it to small ones, and take it again', async () => {
    await using queue = new WorkQueue<typeof Handlers>(module, { maxWorkers: 1 })
    const large = new Uint8Array(5 * 2 ** 20)
    for (let round = 0; round < 2; round++) {
      const works = Array.from({ length: 10 }, () => queue.run('echo', [large]))
      const got = (await Promise.all(works)) as Uint8Array[]
      assert.ok(got.every((bytes) => bytes.length === large.length))
      assert.deepEqual(await queue.run('echo', [{ round }]), { round })
    }
  })

  test('and more than all of it go by message: text too, which needs no copy until then', async () => {
    await using queue = new WorkQueue<typeof Handlers>(module, { maxWorkers: 1 })
    const texts = ['a', 'b'].map((letter) => letter.repeat(mostBlockBytes + 1))
    const got = await Promise.all(texts.map((text) => queue.run('echo', [text])))
    assert.ok(got.every((text, index) => text === texts[index]))
  })

  for (const isolation of ['thread', 'process'] as const)
    test(`find their work told to end, where it was cancelled before they came: ${isolation}`, async () => {
      const current = JSON.stringify(new URL('./current.js', import.meta.url).href)
      const telling = moduleOf(`
        import { current } from ${current}
        export const untilTold = async (text) => {
          const { signal } = current()
          if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
          return [text.length, signal.reason.code]
        }`)
      await using queue = new WorkQueue<{ untilTold(text: string): [number, string] }>(telling, {
        maxWorkers: 1,
        isolation,
      })
      await queue.ready()
      const work = queue.enqueue('untilTold', ['a'.repeat(mostBlockBytes + 1)])
      untilSync(() => work.state === 'running')
      assert.equal(work.cancel(), 'running')
      assert.deepEqual(await work.result, [mostBlockBytes + 1, 'ECANCELED'])
    })
})
