import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runProgram, stranger, untilGone, type End } from '../worker/program.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('../index.js', import.meta.url).href)
const handlers = `'data:text/javascript,' + encodeURIComponent(\`
  export const sleep = (ms) => new Promise((resolve) => setTimeout(() => resolve(ms), ms))
  export const spin = () => { for (;;); }
  export const log = (text) => console.log(text)
\`)`

/** Runs a program in a process of its own, with a queue. */
function run(body: string, options = '{}'): Promise<End> {
  return runProgram(`
    const { WorkQueue } = await import(${index})
    const queue = new WorkQueue(${handlers}, ${options})
    ${body}`)
}

describe('a process with a queue', () => {
  test('exits by itself while the workers are idle', async () => {
    const { code, err } = await run(
      `await queue.run('sleep', [1]); await queue.run('sleep', [1], { unbounded: true })`,
    )
    assert.deepEqual([code, err], [0, ''])
  })

  test('stays alive while a work is pending or running', async () => {
    const { code, out } = await run(
      `queue.run('sleep', [150]); queue.run('sleep', [150]).then((ms) => console.log(ms))`,
      '{ maxWorkers: 1 }',
    )
    assert.deepEqual([code, out], [0, '150\n'])
  })

  test('does not end before a close that it awaits, and not with exit code 13', async () => {
    const { code, out } = await run(`queue.run('sleep', [150]); console.log(await queue.close())`)
    assert.deepEqual([code, out], [0, '{ stuck: [] }\n'])
  })

  test('that calls process.exit ends at once while a handler spins', async () => {
    const { code } = await run(`queue.run('spin'); setTimeout(() => process.exit(5), 200)`)
    assert.equal(code, 5)
  })

  test('sees a rejection that nobody handles, as for any promise', async () => {
    const { code, err } = await run(`queue.enqueue('nowhere')`)
    assert.equal(code, 1)
    assert.match(err, /ERR_NO_HANDLER/)
  })

  test('gets the output of its handlers', async () => {
    const { out } = await run(`await queue.run('log', ['from a handler']); await queue.close()`)
    assert.equal(out, 'from a handler\n')
  })
})

describe('without a thread to be had', () => {
  test('WQ-16: works wait while any worker is left, and fail with EAGAIN when there is none (WQ-61)', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('needs root, to run a program as another user')
    const program = `
      import { execFileSync } from 'node:child_process'
      import { readdirSync } from 'node:fs'
      const { WorkQueue } = await import(${index})
      const warm = new WorkQueue(${handlers}, { maxWorkers: 1 })
      await warm.run('sleep', [1])
      await warm.close()
      ${untilGone}
      const used = readdirSync('/proc/self/task').length
      const limit = (more) => execFileSync('prlimit', ['--pid', String(process.pid), '--nproc=' + (used + more) + ':'])
      limit(1)
      const queue = new WorkQueue(${handlers}, { maxWorkers: 4 })
      const all = await Promise.all(Array.from({ length: 8 }, () => queue.run('sleep', [20])))
      console.log(all.length, queue.workers().length)
      const other = new WorkQueue(${handlers}, { maxWorkers: 1 })
      const begun = Date.now()
      console.log(await other.run('sleep', [1]).catch((error) => error.code), Date.now() - begun < 5000)
      await queue.close()
      console.log(await other.run('sleep', [1]))
      await other.close()`
    const { out, err } = await runProgram(program, stranger)
    assert.equal(out, '8 1\nEAGAIN true\n1\n', err)
  })
})
