import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SHARE_ENV, Worker } from '../os/thread.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { runProgram } from './program.fixture.js'
import { EINTR, UserWorker, type UserWorkerOptions } from './index.js'
import { workerRows, table } from './table.js'

checkForLeaks()

const sleeper = functionOf('async (data, self) => self.sleep(60000)')

/** The message of the TypeError with code EINVAL that a creation must fail with. */
async function refusalOf(options: object, module: unknown = sleeper): Promise<string> {
  const error = await UserWorker.create(module as URL, options).then(
    () => assert.fail('the creation must fail'),
    (reason: unknown) => reason as Error & { code?: string },
  )
  assert.ok(error instanceof TypeError)
  assert.equal(error.code, 'EINVAL')
  assert.deepEqual(workerRows(table()), [])
  return error.message
}

describe('the options of a worker', () => {
  test('UW-20: one that does not exist is refused with EINVAL, whatever its value and its company', async () => {
    for (const options of [
      { ignoreSignals: true },
      { noFiles: undefined },
      { name: 'x', nice: 1, USER: 4 },
      { Name: 'x' },
      { '': 0 },
    ]) {
      assert.match(await refusalOf(options), /^UserWorker\.create: there is no option '/)
    }
  })

  test('UW-21: those that contradict each other, or would change the owner too, are refused with EINVAL', async () => {
    for (const execArgv of [['--title=other'], ['--max-old-space-size=64'], ['--expose-gc']]) {
      assert.match(await refusalOf({ execArgv }), /Node refused the options of worker/)
    }
    const shared = { clean: true, env: SHARE_ENV }
    assert.match(await refusalOf(shared), /clean and env: SHARE_ENV exclude each other/)
    const env = { NODE_OPTIONS: '--title=other' }
    assert.match(await refusalOf({ env }), /Node refused the options of worker/)
  })

  test('UW-22, UW-26: each of 32 combinations of them gives a marked worker that shares memory', async () => {
    const choices: UserWorkerOptions[] = [
      { env: SHARE_ENV },
      { argv: ['word'] },
      { execArgv: ['--no-warnings'] },
      { resourceLimits: { maxOldGenerationSizeMb: 64 } },
      { nice: 1 },
    ]
    const module = moduleOf(`
      import { readFileSync } from 'node:fs'
      export default ({ mark }) => {
        if (readFileSync('/proc/thread-self/comm', 'utf8').startsWith('uw:')) Atomics.add(mark, 0, 1)
      }`)
    const mark = new Int32Array(new SharedArrayBuffer(4))
    for (let bits = 0; bits < 2 ** choices.length; bits++) {
      const chosen = choices.filter((_, bit) => (bits & (1 << bit)) !== 0)
      const options = Object.assign({}, ...chosen) as UserWorkerOptions
      const worker = await UserWorker.create(module, { ...options, data: { mark } })
      assert.equal(await worker.start(), true)
      assert.equal(await worker.join(), 0)
      assert.equal(mark[0], bits + 1)
    }
  })
})

describe('a start of what is no worker that waits for it', () => {
  test('UW-4: answers false for one that ended before it was entered, and true for one that ran', async () => {
    const stopped = await UserWorker.create(sleeper)
    assert.equal(await stopped.stop(), EINTR)
    assert.deepEqual([await stopped.start(), stopped.state], [false, 'exited'])
    const ran = await UserWorker.create(functionOf('() => 3'))
    await ran.start()
    await ran.join()
    assert.deepEqual([await ran.start(), await ran.join(), ran.state], [true, 3, 'exited'])
  })

  test('UW-4: is a TypeError for anything else, such as a thread that was made in another way', async () => {
    const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
    const { out, err } = await runProgram(`
      import { Worker } from 'node:worker_threads'
      const { UserWorker } = await import(${index})
      const raw = new Worker('', { eval: true })
      for (const other of [{}, raw, Object.create(UserWorker.prototype)]) {
        try { console.log(await UserWorker.prototype.start.call(other)) }
        catch (error) { console.log(error.name) }
      }
      process.exit()`)
    assert.equal(out, 'TypeError\nTypeError\nTypeError\n', err)
  })

  test('UW-4: none comes of the constructor, which says what to call', () => {
    const Made = UserWorker as unknown as new () => UserWorker
    assert.throws(() => new Made(), { code: 'EINVAL', message: /use await UserWorker\.create/ })
  })

  test('UW-4: no worker comes of what is no module: EINVAL, at once', async () => {
    const raw = new Worker('', { eval: true })
    const exit = new Promise((resolve) => {
      raw.once('exit', resolve)
    })
    for (const other of [raw, () => 7, {}, null, 7, '', './relative.js', Symbol('x')]) {
      assert.match(await refusalOf({}, other), /the module/)
    }
    await exit
  })
})
