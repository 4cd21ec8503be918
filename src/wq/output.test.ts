import assert from 'node:assert/strict'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { UserWorker, WorkQueue } from '../index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { runProgram } from '../worker/program.fixture.js'
import { failureOf, moduleOf } from './contract/support.fixture.js'
import { upTo } from './gated-queue.fixture.js'
import { all } from './output.fixture.js'

checkForLeaks()

const module = moduleOf(`
  export const print = (name, count) => {
    for (let line = 0; line < count; line++) console.log(name + ' ' + line)
  }
  export const complain = (text) => console.error(text)
  export const printAndExit = (count) => {
    print('exiting', count)
    process.exit(3)
  }
  export const printAndThrow = (count) => {
    print('dying', count)
    setTimeout(() => { throw new Error('nobody catches this') })
    return new Promise(() => {})
  }
  export const teardown = () => console.log('torn down')
`)

const lines = (name: string, count: number): string =>
  upTo(count)
    .map((line) => `${name} ${line}\n`)
    .join('')

describe('the output of the workers', () => {
  test('is captured: all that works and teardown printed is there when close resolves', async () => {
    const queue = new WorkQueue(module, { maxWorkers: 1, stdout: true, stderr: true })
    await queue.run('print', ['a', 500])
    await queue.run('complain', ['so'])
    await queue.run('print', ['b', 500])
    await queue.close()
    assert.equal(all(queue.stdout), `${lines('a', 500)}${lines('b', 500)}torn down\n`)
    assert.equal(all(queue.stderr), 'so\n')
    await Promise.all([text(queue.stdout as Readable), text(queue.stderr as Readable)])
  })

  test('of several workers is in order for each, read while they write', async () => {
    const queue = new WorkQueue(module, { maxWorkers: 3, stdout: true })
    const read = text(queue.stdout as Readable)
    await Promise.all(upTo(30).map((mark) => queue.run('print', [`w${mark}`, 200])))
    await queue.close()
    const printed = (await read).split('\n')
    for (const mark of upTo(30)) {
      const own = printed.filter((line) => line.startsWith(`w${mark} `))
      assert.deepEqual(
        own,
        upTo(200).map((line) => `w${mark} ${line}`),
      )
    }
  })

  test('is all there of a thread that leaves by process.exit or an uncaught error', async () => {
    const queue = new WorkQueue(module, { maxWorkers: 1, stdout: true, stderr: true })
    assert.equal((await failureOf(queue.run('printAndExit', [500]))).code, 'ERR_WORKER_EXITED')
    assert.equal((await failureOf(queue.run('printAndThrow', [500]))).code, 'ERR_WORKER_DIED')
    await queue.close()
    assert.equal(all(queue.stdout), lines('exiting', 500) + lines('dying', 500))
  })

  test('goes to that of the process where it is not captured', async () => {
    const index = JSON.stringify(new URL('../index.js', import.meta.url).href)
    const { out } = await runProgram(`
      const { WorkQueue } = await import(${index})
      const queue = new WorkQueue(${JSON.stringify(module)}, { maxWorkers: 1 })
      if (queue.stdout !== null || queue.stderr !== null) throw new Error('captured')
      await queue.run('print', ['a', 300])
      await queue.close()`)
    assert.equal(out, `${lines('a', 300)}torn down\n`)
  })

  test('of a single worker is captured likewise, of one made from a spare too', async () => {
    for (const spares of [0, 1]) {
      await UserWorker.spares(spares, { stdout: true })
      const says = moduleOf(`export default () => { console.log('said'); console.error('shown') }`)
      const worker = await UserWorker.create(new URL(says), { stdout: true, stderr: spares === 0 })
      await worker.start()
      await worker.join()
      assert.equal(await text(worker.stdout as Readable), 'said\n')
      if (worker.stderr !== null) assert.equal(await text(worker.stderr), 'shown\n')
      assert.equal(worker.stderr === null, spares === 1)
    }
    await UserWorker.spares(0, { stdout: true })
  })

  test('is captured by true alone: anything else is refused with EINVAL', () => {
    for (const option of ['stdout', 'stderr']) {
      const options = { [option]: 'pipe' } as object
      assert.throws(() => new WorkQueue(module, options), { name: 'TypeError', code: 'EINVAL' })
    }
  })
})
