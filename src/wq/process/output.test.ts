import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { WorkQueue, type WorkQueueOptions } from '../../index.js'
import { until } from '../../os/own-thread.fixture.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { failureOf, moduleOf } from '../contract/support.fixture.js'
import { all } from '../output.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('../../index.js', import.meta.url).href)

const module = moduleOf(`
  export const print = (name, count) => {
    for (let line = 0; line < count; line++) console.log(name + ' ' + line)
  }
  export const complain = (text) => console.error(text)
  export const printAndExit = (count) => {
    print('exiting', count)
    process.exit(3)
  }
  export const printAndAbort = (text) => {
    process.stdout.write(text + '\\n')
    process.stderr.write(text + '\\n')
    process.abort()
  }
  export const printAndSpin = async (count, mark) => {
    print('spinning', count)
    const { writeFileSync } = await import('node:fs')
    writeFileSync(mark, '')
    for (;;);
  }
  export const teardown = () => console.log('torn down')
`)

const lines = (name: string, count: number): string =>
  Array.from({ length: count }, (_, line) => `${name} ${line}\n`).join('')

const make = (options: WorkQueueOptions): WorkQueue =>
  new WorkQueue(module, { isolation: 'process', maxWorkers: 1, ...options })

describe('the output of child processes', () => {
  test('is captured in order: all that works and teardown printed is there when close resolves', async () => {
    const queue = make({ stdout: true, stderr: true })
    await queue.run('print', ['a', 20_000])
    await queue.run('complain', ['so'])
    await queue.run('print', ['b', 500])
    await queue.close()
    assert.equal(all(queue.stdout), `${lines('a', 20_000)}${lines('b', 500)}torn down\n`)
    assert.equal(all(queue.stderr), 'so\n')
  })

  test('is all there of a child that exits, or ends by a signal', async () => {
    const queue = make({ stdout: true, stderr: true })
    assert.equal((await failureOf(queue.run('printAndExit', [20_000]))).code, 'ERR_WORKER_EXITED')
    assert.equal((await failureOf(queue.run('printAndAbort', ['last']))).code, 'ERR_WORKER_DIED')
    await queue.close()
    assert.equal(all(queue.stdout), `${lines('exiting', 20_000)}last\n`)
    assert.match(all(queue.stderr), /^last\n/)
  })

  test('is all there of a child that was ended by force', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'userworker-output-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const mark = join(folder, 'printed')
    const queue = make({ stdout: true })
    const spinning = queue.enqueue('printAndSpin', [20_000, mark], { killAfterMs: 0 })
    await until('all is printed', () => existsSync(mark))
    assert.equal(spinning.cancel(), 'running')
    assert.equal((await failureOf(spinning.result)).code, 'ECANCELED')
    await queue.close()
    assert.equal(all(queue.stdout), lines('spinning', 20_000))
  })

  test('of several children is in order for each, read while they write', async () => {
    const queue = make({ maxWorkers: 2, stdout: true })
    const read = text(queue.stdout as Readable)
    const names = Array.from({ length: 10 }, (_, mark) => `w${mark}`)
    await Promise.all(names.map((name) => queue.run('print', [name, 200])))
    await queue.close()
    const printed = (await read).split('\n')
    for (const name of names) {
      const own = printed.filter((line) => line.startsWith(`${name} `))
      assert.equal(own.map((line) => `${line}\n`).join(''), lines(name, 200))
    }
  })
})

test('a signal that goes to the whole job lets the works of children finish where queues drain', async (t) => {
  const program = `
    const { WorkQueue, drainOnSignal } = await import(${index})
    const queue = new WorkQueue(null, { isolation: 'process', maxWorkers: 1 })
    drainOnSignal(queue)
    const onProgress = () => console.log('begun')
    const work = queue.enqueue(async () => {
      const { current } = await import(${JSON.stringify(new URL('../current.js', import.meta.url).href)})
      let heard
      const signaled = new Promise((resolve) => { heard = resolve })
      process.on('SIGINT', heard)
      current().progress(1)
      await signaled
      await new Promise((resolve) => setTimeout(resolve, 50))
      return 'finished'
    }, [], { onProgress })
    console.log(await work.result)`
  const job = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // A job of its own.
    detached: true,
  })
  t.after(() => job.kill('SIGKILL'))
  const ended = new Promise<string | null>((resolve) => {
    job.once('exit', (_code, signal) => resolve(signal))
  })
  const said = text(job.stdout)
  job.stdout.once('data', () => process.kill(-(job.pid as number), 'SIGINT'))
  assert.equal(await ended, 'SIGINT')
  assert.equal(await said, 'begun\nfinished\n')
})
