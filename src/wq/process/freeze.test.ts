import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Owner, WorkQueue, type WorkOptions, type WorkQueueOptions } from '../../index.js'
import { until } from '../../os/own-thread.fixture.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { failureOf, moduleOf } from '../contract/support.fixture.js'
import { isAlive } from './children.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('../../index.js', import.meta.url).href)

const module = moduleOf(`
  import { appendFileSync, existsSync } from 'node:fs'
  /** Writes now and then, until there is a file that says it may end. */
  export const write = (file) => new Promise((resolve) => {
    const timer = setInterval(() => {
      appendFileSync(file, '.')
      if (!existsSync(file + '.end')) return
      clearInterval(timer)
      resolve('ended')
    }, 1)
  })
  export const spin = (file) => {
    appendFileSync(file, '.')
    while (!existsSync(file + '.end'));
    return 'spun'
  }
  export const echo = (value) => value
`)

let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'userworker-'))
  file = join(folder, 'written')
})
afterEach(() => rmSync(folder, { recursive: true }))

const written = (): number => (existsSync(file) ? readFileSync(file).length : 0)
const mayEnd = (): void => writeFileSync(`${file}.end`, '')

const make = (options: WorkQueueOptions = {}): WorkQueue =>
  new WorkQueue(module, { isolation: 'process', maxWorkers: 1, ...options })

/** A queue whose child runs a work that writes. */
async function writing(options?: WorkQueueOptions, workOptions?: WorkOptions) {
  rmSync(file, { force: true })
  const queue = make(options)
  const work = queue.run('write', [file], workOptions)
  work.catch(() => {})
  await until('it writes', () => written() > 0)
  const { processId } = queue.workers()[0] ?? {}
  assert.ok(processId)
  return { queue, work, processId }
}

async function standsStill(): Promise<void> {
  const before = written()
  await sleep(30)
  assert.equal(written(), before, 'it goes on')
}

const atOnce = { at: 'anywhere', deadlineMs: 60_000 } as const

describe('a frozen queue with child processes', () => {
  test("at 'work' lets the call in the child finish, and begins none before the thaw", async () => {
    const { queue, work } = await writing()
    const next = queue.run('write', [file])
    const { laggards } = await queue.freeze({ deadlineMs: 20 })
    assert.deepEqual(
      laggards.map((each) => each.work),
      ['write'],
    )
    const before = written()
    await until('it goes on', () => written() > before)
    mayEnd()
    assert.equal(await work, 'ended')
    assert.deepEqual(await queue.freeze({ deadlineMs: 60_000 }), { laggards: [] })
    await standsStill()
    queue.thaw()
    assert.equal(await next, 'ended')
    await queue.close()
  })

  test("at 'anywhere' stands with its children, in the middle of their works, and goes on as often", async () => {
    const { queue, work } = await writing()
    for (let round = 0; round < 5; round++) {
      assert.deepEqual(await queue.freeze(atOnce), { laggards: [] })
      await standsStill()
      const before = written()
      queue.thaw()
      await until('it goes on', () => written() > before)
    }
    mayEnd()
    assert.equal(await work, 'ended')
    await queue.close()
  })

  test('names a child that does not come back to its event loop, which goes on after a thaw', async () => {
    const queue = make()
    const work = queue.run('spin', [file])
    await until('it spins', () => written() > 0)
    const { laggards } = await queue.freeze({ at: 'anywhere', deadlineMs: 30 })
    assert.deepEqual(
      laggards.map((each) => each.work),
      ['spin'],
    )
    queue.thaw()
    mayEnd()
    assert.equal(await work, 'spun')
    assert.equal(await queue.run('echo', ['next']), 'next')
    assert.deepEqual(await queue.freeze(atOnce), { laggards: [] })
    queue.thaw()
    assert.equal(await queue.run('echo', ['last']), 'last')
    await queue.close()
  })

  test('leaves no child standing: not at close, nor when its owner is killed, nor a work of it', async () => {
    const closing = await writing()
    await closing.queue.freeze(atOnce)
    mayEnd()
    await closing.queue.close()
    assert.equal(await closing.work, 'ended')
    rmSync(`${file}.end`)

    const owner = new Owner()
    const owned = await writing({ owner })
    await owned.queue.freeze(atOnce)
    owner.kill()
    assert.equal((await failureOf(owned.work)).code, 'ERR_OWNER_KILLED')
    await owned.queue.close()
    await owner.stop()

    const controller = new AbortController()
    const { signal } = controller
    const aborted = await writing({}, { signal, killAfterMs: 20 })
    await aborted.queue.freeze(atOnce)
    controller.abort()
    assert.equal((await failureOf(aborted.work)).code, 'ABORT_ERR')
    aborted.queue.thaw()
    await until('the child is gone', () => !isAlive(aborted.processId))
    await aborted.queue.close()
    for (const gone of [closing.processId, owned.processId]) {
      await until('the child is gone', () => !isAlive(gone))
    }
  })

  test('whose process is killed by SIGKILL takes its standing children along', async (t) => {
    const program = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { WorkQueue } = await import(${index})
        const queue = new WorkQueue(${JSON.stringify(module)}, { isolation: 'process' })
        queue.run('write', [${JSON.stringify(file)}]).catch(() => {})
        await queue.ready()
        await queue.freeze({ at: 'anywhere', deadlineMs: 60_000 })
        console.log(queue.workers()[0].processId)
        setInterval(() => {}, 1000)`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    t.after(() => program.kill('SIGKILL'))
    const child = await new Promise<number>((resolve, reject) => {
      program.stdout.once('data', (part) => resolve(Number(part)))
      program.once('exit', () => reject(new Error('the program ended')))
    })
    assert.ok(isAlive(child))
    program.kill('SIGKILL')
    await until('the child has ended', () => !isAlive(child))
  })
})
