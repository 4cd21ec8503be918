import assert from 'node:assert/strict'
import type { WorkQueue } from '../../index.js'
import { type Make, moduleOf, failureOf, test } from './support.fixture.js'

/** What the contract says about modules. */
export function modulesContract(make: Make): void {
  test('setup gets the data as it was when the queue was made, once in each worker', async () => {
    const data = { colour: 'red' }
    await using queue = make({ data, maxWorkers: 2 })
    data.colour = 'blue'
    for (let round = 0; round < 4; round++) {
      assert.deepEqual(await queue.run('setupSeen'), { setups: 1, data: { colour: 'red' } })
    }
  })

  test('data that cannot be cloned is refused when the queue is made', () => {
    assert.throws(() => make({ data: () => {} }), { code: 'ERR_NOT_CLONEABLE' })
  })

  test('the handlers may be a default export, an object of functions, or CommonJS', async () => {
    for (const [module, name] of [
      [moduleOf('export default (a, b) => a + b'), 'default'],
      [moduleOf('export default { plus: (a, b) => a + b }'), 'plus'],
      [new URL('../cjs.fixture.cjs', import.meta.url), 'plus'],
    ] as const) {
      await using queue = make({}, module)
      assert.equal(await (queue as unknown as WorkQueue).run(name, [1, 2]), 3)
    }
  })

  test('a module that cannot be loaded, or set up, rejects every work with ERR_MODULE_LOAD and the cause', async () => {
    for (const text of [
      'throw new RangeError("no")',
      'export const setup = async () => { throw new RangeError("no") }',
    ]) {
      await using queue = make({ maxWorkers: 2 }, moduleOf(text))
      const works = [1, 2, 3, 4].map((key) => failureOf(queue.run('add', [1, 2], { key: key % 2 })))
      for (const error of await Promise.all(works)) {
        assert.deepEqual([error.code, (error.cause as Error).message], ['ERR_MODULE_LOAD', 'no'])
      }
      assert.equal(
        (await failureOf(queue.run('add', [1, 2]))).code,
        'ERR_MODULE_LOAD',
        'and so for works that come later',
      )
    }
  })

  test('a module that never finishes loading, or setting up, rejects with ERR_MODULE_LOAD_TIMEOUT', async () => {
    const texts = [
      'await new Promise(() => setInterval(() => {}, 1e6))',
      'for (;;);',
      'export const setup = () => new Promise(() => {})',
    ]
    const begun = Date.now()
    // Long enough for our own modules, so that it is the one of the test that does not finish.
    const failures = texts.map(async (text) => {
      await using queue = make({ loadDeadlineMs: 1500 }, moduleOf(text))
      return (await failureOf(queue.run('add', [1, 2]))).code
    })
    const code = 'ERR_MODULE_LOAD_TIMEOUT'
    assert.deepEqual(await Promise.all(failures), [code, code, code])
    assert.ok(Date.now() - begun < 7500, 'it does not hang')
  })

  test('a module that ends its thread while it loads rejects with what happened', async () => {
    await using queue = make({}, moduleOf('process.exit(7)'))
    const error = await failureOf(queue.run('add', [1, 2]))
    assert.deepEqual([error.code, error.exitCode], ['ERR_WORKER_EXITED', 7])
  })

  test('env and resource limits reach the workers', async () => {
    const text = `import { resourceLimits } from 'node:worker_threads'
      export const look = () => [process.env.COLOUR, resourceLimits.maxOldGenerationSizeMb]`
    await using queue = make(
      { env: { COLOUR: 'red' }, resourceLimits: { maxOldGenerationSizeMb: 33 } },
      moduleOf(text),
    )
    assert.deepEqual(await (queue as unknown as WorkQueue).run('look'), ['red', 33])
  })

  test('a handler may find its work through another copy of the package', async () => {
    const copy = new URL('../current.js?copy', import.meta.url).href
    await using queue = make(
      {},
      moduleOf(`import { current } from '${copy}'; export const name = () => current().name`),
    )
    assert.equal(await (queue as unknown as WorkQueue).run('name'), 'name')
  })
}
