import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { SHARE_ENV, Worker } from '../os/thread.js'
import { UserWorker } from './index.js'
import { inheritedExecArgv, withOwnEnvironment } from './inherit.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf } from './module.fixture.js'
import { runProgram } from './program.fixture.js'

checkForLeaks()

describe('the options of Node for a thread', () => {
  test('are those of the process, by doing nothing, when all of them suit a thread', () => {
    assert.equal(inheritedExecArgv([]), undefined)
    assert.equal(inheritedExecArgv(['--import', 'x', '--max-old-space-size=100']), undefined)
  })

  test('lose those that say what the process runs, and keep those that load modules', () => {
    const own = [
      '--import',
      './a.mjs',
      '--input-type=module',
      '-C',
      'dev',
      '--require=./b.cjs',
      '-e',
      'code',
      '--enable-source-maps',
    ]
    assert.deepEqual(inheritedExecArgv(own), [
      '--import',
      './a.mjs',
      '-C',
      'dev',
      '--require=./b.cjs',
      '--enable-source-maps',
    ])
  })

  test('let a program given on the command line make workers', () => {
    const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
    for (const [type, load] of [
      ['--input-type=module', `import { UserWorker } from ${index};`],
      ['--input-type=commonjs', `const { UserWorker } = require(new URL(${index}).pathname);`],
    ]) {
      const code = `${load} UserWorker.create('data:text/javascript,export default () => console.log("made")')
        .then((worker) => worker.start().then(() => worker.join()))`
      const out = execFileSync(process.execPath, [`${type}`, '--no-warnings', '-e', code], {
        encoding: 'utf8',
      })
      assert.equal(out, 'made\n')
    }
  })
})

const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
const preloaded = encodeURIComponent('globalThis.preloaded = (globalThis.preloaded ?? 0) + 1')

/** A worker whose exit code is what the expression gives. */
const saying = (expression: string): string =>
  `'data:text/javascript,' + encodeURIComponent('export default () => Number(${expression})')`

/** Prints the exit codes of two workers: what they had preloaded, and whether they have NODE_OPTIONS. */
const program = (statement: string, options = ''): string => `
  const { UserWorker } = await import(${index})
  ${statement}
  for (const module of [${saying('globalThis.preloaded ?? 0')}, ${saying('"NODE_OPTIONS" in process.env')}]) {
    const worker = await UserWorker.create(module, {${options}})
    await worker.start()
    console.log(await worker.join())
  }`

describe("the owner's environment", () => {
  test('is taken with NODE_OPTIONS that were set at run time, as they are at creation [INV-UW-3]', async () => {
    const set = `process.env.NODE_OPTIONS = '--import=data:text/javascript,${preloaded}'`
    assert.equal((await runProgram(program(set))).out, '1\n1\n')
    assert.equal((await runProgram(program(set, 'env: {}'))).out, '0\n0\n')
    assert.equal((await runProgram(program(''))).out, '0\n0\n')
  })

  test('loses those of NODE_OPTIONS that are for processes alone, and keeps the others', async () => {
    const own = `--import=data:text/javascript,${preloaded}`
    for (const others of [
      '--title=x',
      '--input-type=module',
      '--title "a b" --max-old-space-size=4096 --use-openssl-ca --v8-pool-size=2',
    ]) {
      const set = `process.env.NODE_OPTIONS = ${JSON.stringify(`${others} ${own}`)}`
      const { out, err } = await runProgram(program(set))
      assert.equal(out, '1\n1\n', `${others}: ${err}`)
    }
    // A program that was begun with them goes on as it did.
    const env = { ...process.env, NODE_OPTIONS: `--title=x ${own}` }
    assert.equal((await runProgram(program(''), { env })).out, '1\n1\n')
  })

  test('loses one after the other what Node refuses, each with its value', async () => {
    const tried: unknown[] = []
    const make = (env: NodeJS.ProcessEnv | undefined): Worker => {
      tried.push(env?.['NODE_OPTIONS'])
      return new Worker('', { eval: true, ...(env === undefined ? {} : { env }) })
    }
    const kept = '--max-old-space-size=4096'
    const others = '--title "a b" --use-openssl-ca --v8-pool-size=2'
    const thread = withOwnEnvironment(make, { NODE_OPTIONS: `${others} ${kept}` })
    await once(thread, 'exit')
    assert.equal(tried[0], `${others} ${kept}`)
    assert.equal(tried[1], `--use-openssl-ca --v8-pool-size=2 ${kept}`)
    assert.equal(tried.at(-1), kept)
  })

  test('is not given at all where nothing in it can be kept', () => {
    const made: unknown[] = []
    const refuse = (env: NodeJS.ProcessEnv | undefined): boolean => {
      made.push(env)
      if (env !== undefined) throw new Error('NODE_OPTIONS is no good')
      return true
    }
    assert.equal(withOwnEnvironment(refuse, { NODE_OPTIONS: '--x', A: '1' }), true)
    assert.deepEqual(made, [{ NODE_OPTIONS: '--x', A: '1' }, undefined])
    assert.throws(() => withOwnEnvironment(() => assert.fail('so'), { A: '1' }), /so/)
  })

  test('is a copy, or with SHARE_ENV the same', async () => {
    const reads = functionOf(`async (words) => {
      Atomics.store(words, 0, 1)
      Atomics.notify(words, 0)
      Atomics.wait(words, 1, 0, 60_000)
      return Number(process.env.USERWORKER_TEST)
    }`)
    for (const [env, code] of [
      [undefined, 1],
      [SHARE_ENV, 2],
    ] as const) {
      process.env['USERWORKER_TEST'] = '1'
      const data = new Int32Array(new SharedArrayBuffer(8))
      const worker = await UserWorker.create(reads, { data, ...(env === undefined ? {} : { env }) })
      await worker.start()
      Atomics.wait(data, 0, 0, 60_000)
      process.env['USERWORKER_TEST'] = '2'
      Atomics.store(data, 1, 1)
      Atomics.notify(data, 1)
      assert.equal(await worker.join(), code)
    }
    delete process.env['USERWORKER_TEST']
  })
})

describe('execArgv', () => {
  test('with an option that says what a process runs is refused with EINVAL, which names it', async () => {
    for (const option of ['--input-type=module', '--test', '-e', '--eval', '--check', '--watch']) {
      await assert.rejects(UserWorker.create(functionOf('() => 0'), { execArgv: [option] }), {
        code: 'EINVAL',
        message: new RegExp(`'${option}' says what a process is to run`),
      })
    }
  })
})
