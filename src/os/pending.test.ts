import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { hold, Pending, pendingPromises } from './pending.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

describe('a pending promise', () => {
  test('settles once, and its first settlement counts', async () => {
    const pending = new Pending<number>('it')
    assert.deepEqual(
      [pending.resolve(1), pending.resolve(2), pending.reject(new Error('3'))],
      [true, false, false],
    )
    assert.equal(await pending.promise, 1)
    const failed = new Pending<number>('it')
    assert.deepEqual([failed.reject(new Error('1')), failed.resolve(2)], [true, false])
    await assert.rejects(failed.promise, { message: '1' })
  })

  test('is listed while it is pending', () => {
    const pending = new Pending<void>('one')
    let count = 2
    const release = hold(() => `${count} works`)
    assert.deepEqual(pendingPromises(), ['one', '2 works'])
    count = 1
    assert.deepEqual(pendingPromises(), ['one', '1 works'])
    pending.resolve()
    assert.deepEqual([release(), release()], [true, false])
    assert.deepEqual(pendingPromises(), [])
  })

  test('keeps the process alive until it is settled, and no longer', () => {
    const url = JSON.stringify(new URL('./pending.js', import.meta.url).href)
    const run = (body: string): string =>
      execFileSync(
        process.execPath,
        ['--input-type=module', '-e', `import { Pending } from ${url}; ${body}`],
        {
          encoding: 'utf8',
          timeout: 60_000,
        },
      )
    const settleLater = `const one = new Pending('one'); one.promise.then(() => console.log('settled'));
      setTimeout(() => one.resolve(), 100).unref()`
    assert.equal(run(settleLater), 'settled\n')
    assert.equal(run(`new Pending('one').resolve()`), '')
  })
})
