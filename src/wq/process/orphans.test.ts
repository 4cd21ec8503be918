import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, test, type TestContext } from 'node:test'
import { now } from '../../os/clock.js'
import { until } from '../../os/own-thread.fixture.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { runProgram } from '../../worker/program.fixture.js'
import { isAlive } from './children.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('../../index.js', import.meta.url).href)
const handlers = JSON.stringify(new URL('./isolated.fixture.js', import.meta.url).href)

/** A program with a queue of child processes; it says the number of the one that is in a loop. */
const spinning = `
  const { WorkQueue } = await import(${index})
  const queue = new WorkQueue(new URL(${handlers}), { isolation: 'process', maxWorkers: 1 })
  await queue.ready()
  queue.run('spin').catch(() => {})
  while (queue.workers()[0].work === null) await new Promise((resolve) => setTimeout(resolve, 5))
  console.log(queue.workers()[0].processId)`

/** Starts a program, and resolves to its number and the number that it says. */
async function start(t: TestContext, text: string): Promise<{ parent: number; child: number }> {
  const program = spawn(process.execPath, ['--input-type=module', '-e', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => program.kill('SIGKILL'))
  const line = await new Promise<string>((resolve, reject) => {
    program.stdout.once('data', (part) => resolve(String(part)))
    program.once('exit', () => reject(new Error('the program ended')))
  })
  return { parent: program.pid ?? 0, child: Number(line) }
}

/** What a child may take to see its parent's end, on a loaded machine. */
const patienceMs = 2000

describe('a child process in a loop ends', () => {
  test('within 2 s when its parent is killed by SIGKILL', async (t) => {
    const { parent, child } = await start(t, `${spinning}; setInterval(() => {}, 1000)`)
    assert.ok(isAlive(child))
    const killed = now()
    process.kill(parent, 'SIGKILL')
    await until('the child has ended', () => !isAlive(child))
    assert.ok(now() - killed < patienceMs, `it took ${now() - killed} ms`)
  })

  test('when its parent was killed while it loaded its module', async (t) => {
    const text = `
      const { WorkQueue } = await import(${index})
      const queue = new WorkQueue('data:text/javascript,for (;;);', { isolation: 'process' })
      queue.run('any').catch(() => {})
      while (!queue.workers()[0]?.processId) await new Promise((resolve) => setTimeout(resolve, 1))
      console.log(queue.workers()[0].processId)
      setInterval(() => {}, 1000)`
    const { parent, child } = await start(t, text)
    process.kill(parent, 'SIGKILL')
    await until('the child has ended', () => !isAlive(child))
  })

  test('when its parent exits, which waits for nobody', async (t) => {
    const { child } = await start(t, `${spinning}; process.exit(0)`)
    await until('the child has ended', () => !isAlive(child))
  })

  test('when the thread that its queue belongs to is ended', async (t) => {
    const thread = spinning.replace('console.log', 'parentPort.postMessage')
    const module = `import { parentPort } from 'node:worker_threads'; ${thread}`
    const url = `data:text/javascript,${encodeURIComponent(module)}`
    const text = `
      const { Worker } = await import('node:worker_threads')
      const owner = new Worker(new URL(${JSON.stringify(url)}))
      owner.once('message', async (child) => {
        await owner.terminate()
        console.log(child)
        setInterval(() => {}, 1000)
      })`
    const { child } = await start(t, text)
    await until('the child has ended', () => !isAlive(child))
  })
})

test('signals of a terminal, which go to the whole job, leave the children to their parent', async () => {
  const { out } = await runProgram(`
    const { WorkQueue } = await import(${index})
    const queue = new WorkQueue(new URL(${handlers}), { isolation: 'process', maxWorkers: 1 })
    await queue.ready()
    const { processId } = queue.workers()[0]
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(processId, signal)
    console.log(await queue.run('add', [1, 2]), queue.workers()[0].processId === processId)
    await queue.close()`)
  assert.equal(out, '3 true\n')
})

test('idle child processes keep no program alive, and end with it', async () => {
  const { code, out } = await runProgram(`
    const { WorkQueue } = await import(${index})
    const queue = new WorkQueue(new URL(${handlers}), { isolation: 'process', maxWorkers: 1 })
    console.log((await queue.run('identity')).pid)`)
  assert.equal(code, 0)
  await until('the child has ended', () => !isAlive(Number(out)))
})

describe('one allocation that is too large for the heap', () => {
  const program = (isolation: string): string => `
    const { WorkQueue } = await import(${index})
    const queue = new WorkQueue(new URL(${handlers}), {
      isolation: '${isolation}', maxWorkers: 1, resourceLimits: { maxOldGenerationSizeMb: 64 },
    })
    const code = await queue.run('allocateMuch').catch((error) => error.code)
    console.log(code, await queue.run('add', [1, 2]))
    await queue.close()`

  test('aborts a program that uses threads', async () => {
    const { code, out, err } = await runProgram(program('thread'))
    assert.deepEqual([code, out], [null, ''])
    assert.match(err, /heap out of memory/)
  })

  test('costs a program that uses child processes one work', async () => {
    const { code, out } = await runProgram(program('process'))
    assert.deepEqual([code, out], [0, 'ERR_WORKER_OUT_OF_MEMORY 3\n'])
  })
})
