import assert from 'node:assert/strict'
import { UserWorkerError, type WorkQueue } from '../../index.js'
import { type Make, type Coded, failureOf, moduleOf, test } from './support.fixture.js'

/** What the contract says about errors. */
export function errorsContract(make: Make): void {
  test('a rejection keeps class, name, message, code, own properties and cause', async () => {
    await using queue = make()
    const error = (await failureOf(queue.run('fail', ['own']))) as Coded & { details?: unknown }
    assert.ok(error instanceof RangeError)
    assert.ok(error.cause instanceof TypeError)
    assert.deepEqual(
      [error.name, error.message, error.code, error.details, error.cause.message],
      ['OwnError', 'no', 'E_OWN', { list: [1, 2] }, 'why'],
    )
    assert.match(error.stack ?? '', /handlers\.fixture/)
  })

  test('a rejection keeps the errors of an AggregateError, and what is no error', async () => {
    await using queue = make()
    const error = await failureOf(queue.run('fail', ['many']))
    assert.ok(error instanceof AggregateError)
    assert.deepEqual(error.errors.map(String), ['TypeError: one', 'RangeError: two'])
    assert.equal(await failureOf(queue.run('fail', ['text'])), 'text')
  })

  test('an argument that cannot be cloned rejects with ERR_NOT_CLONEABLE, and the next work runs', async () => {
    await using queue = make({ maxWorkers: 1 })
    const throws = {
      get value(): never {
        throw new RangeError('from the getter')
      },
    }
    for (const value of [() => {}, Symbol('s'), { deep: [() => {}] }, new Proxy({}, {}), throws]) {
      const results = [
        queue.run('echo', [value]),
        queue.run('echo', [value], { key: 1 }),
        queue.run('add', [1, 1], { key: 1 }),
      ]
      assert.deepEqual(
        [(await failureOf(results[0] as never)).code, (await failureOf(results[1] as never)).code],
        ['ERR_NOT_CLONEABLE', 'ERR_NOT_CLONEABLE'],
      )
      assert.equal(await results[2], 2)
    }
    const error = await failureOf(queue.run('echo', [throws]))
    assert.ok(error.cause instanceof RangeError)
  })

  test('a result that cannot be cloned rejects with ERR_NOT_CLONEABLE and its cause', async () => {
    await using queue = make()
    for (const name of ['uncloneable', 'throwingGetter'] as const) {
      const error = await failureOf(queue.run(name))
      assert.ok(error instanceof UserWorkerError)
      assert.deepEqual([error.code, error.cause instanceof Error], ['ERR_NOT_CLONEABLE', true])
    }
    assert.equal(await queue.run('add', [1, 1]), 2)
  })

  test('a stack overflow is a RangeError that the worker survives', async () => {
    await using queue = make({ maxWorkers: 1 })
    const before = (await queue.run('setupSeen')).setups
    assert.ok((await failureOf(queue.run('overflow'))) instanceof RangeError)
    assert.equal((await queue.run('setupSeen')).setups, before)
  })

  test('a name that the module has no handler for rejects with ERR_NO_HANDLER, which lists the handlers', async () => {
    await using queue = make()
    const loose = queue as unknown as WorkQueue
    for (const name of [
      'resise',
      'setup',
      'teardown',
      'notAFunction',
      'constructor',
      '__proto__',
    ]) {
      const error = await failureOf(loose.run(name))
      assert.equal(error.code, 'ERR_NO_HANDLER')
      assert.match(error.message, new RegExp(`no handler '${name}'.*add, `))
      assert.doesNotMatch(error.message, /It has:.*(setup,|teardown)/)
    }
  })

  test('a value nested too deep for the other thread is refused, and the next work runs', async () => {
    const text = `export const deep = (depth) => {
        let list = null
        for (; depth > 0; depth--) list = { list }
        return list
      }
      export const take = (list) => typeof list`
    await using queue = make({ maxWorkers: 1, resourceLimits: { stackSizeMb: 1 } }, moduleOf(text))
    const loose = queue as unknown as WorkQueue
    let list: object | null = null
    for (let depth = 0; depth < 6000; depth++) list = { list }
    for (const work of [() => loose.run('deep', [6000]), () => loose.run('take', [list])]) {
      // Either it is within the stacks of this machine, or it is refused: it never hangs.
      const end = await work().then(
        () => 'read',
        (error: Coded) => error.code,
      )
      assert.ok(['read', 'ERR_NOT_CLONEABLE'].includes(String(end)), String(end))
      assert.equal(await loose.run('take', [{}]), 'object')
    }
  })

  test('an error that refuses to be looked at rejects its work all the same', async () => {
    const trap = '{ get() { throw 1 }, getPrototypeOf() { throw 2 }, ownKeys() { throw 3 } }'
    const text = `process.on('unhandledRejection', () => {})
      export const proxy = () => { throw new Proxy(new Error('x'), ${trap}) }
      let looks = 0
      export const fickle = () => {
        throw Object.defineProperty(new Error('x'), 'own', { enumerable: true, get: () => looks++ ? () => {} : 1 })
      }
      export const chain = () => {
        let error = new Error('last')
        for (let depth = 0; depth < 5000; depth++) error = new Error('above', { cause: error })
        throw error
      }
      export const add = (a, b) => a + b`
    await using queue = make({ maxWorkers: 1 }, moduleOf(text))
    const loose = queue as unknown as WorkQueue
    for (const name of ['proxy', 'fickle', 'chain']) {
      const error = await failureOf(loose.run(name))
      assert.notEqual(error.code, 'ERR_WORKER_DIED', name)
    }
    assert.equal(await loose.run('add', [1, 2]), 3)
  })

  test('a moved object that is gone by the time its work could run rejects it, and the others run', async () => {
    for (const isBusy of [false, true]) {
      await using queue = make({ maxWorkers: 1 })
      if (isBusy) void queue.run('sleep', [30])
      const { port1, port2 } = new MessageChannel()
      const work = queue.run('echo', [port2], { transfer: [port2], key: 'k' })
      const behind = queue.run('add', [1, 2], { key: 'k' })
      port1.close()
      assert.equal((await failureOf(work)).code, 'ERR_NOT_CLONEABLE')
      assert.equal(await behind, 3)
      assert.equal(queue.workers().length, 1)
    }
  })
}
