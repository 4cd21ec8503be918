import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { runProgram, stranger, untilGone, type End } from './program.fixture.js'
import { checkForLeaks } from './leaks.fixture.js'

checkForLeaks()

const index = new URL('./index.js', import.meta.url).href

/**
 * Runs a program in a process of its own, with `worker(text)` to make a worker.
 */
function run(body: string): Promise<End> {
  const code = `
    const { UserWorker } = await import(${JSON.stringify(index)})
    const worker = (text, options) =>
      UserWorker.create('data:text/javascript,' + encodeURIComponent('export default ' + text), options)
    ${body}`
  return runProgram(code)
}

const forever = "'async (data, self) => { for (;;) await self.sleep(60000) }'"
const untilStopped = "'async (data, self) => { await self.sleep(60000); return 3 }'"

describe('a process', () => {
  test('with idle workers, not started or running, exits by itself', async () => {
    const { code, err } = await run(`
      await worker(${forever})
      const running = await worker(${forever})
      await running.start()`)
    assert.deepEqual([code, err], [0, ''])
  })

  test('does not end before a stop that it awaits, and not with exit code 13', async () => {
    const { code, out } = await run(`
      const one = await worker(\`async (data, self) => {
        await self.sleep(60000)
        await new Promise((resolve) => setTimeout(resolve, 200))
        return 3
      }\`)
      await one.start()
      console.log(await one.stop())`)
    assert.deepEqual([code, out], [0, '3\n'])
  })

  test('stays alive while a creation, a start or a join is awaited', async () => {
    const { code, out } = await run(`
      const one = await worker('async () => { await new Promise((r) => setTimeout(r, 100)); return 5 }')
      console.log(await one.start(), await one.join())`)
    assert.deepEqual([code, out], [0, 'true 5\n'])
  })

  test('stays alive for a worker with ref, and no longer after unref', async () => {
    const { code, out } = await run(`
      const one = await worker('async (data, self) => { await self.sleep(100); console.log("done") }')
      one.ref()
      await one.start()`)
    assert.deepEqual([code, out], [0, 'done\n'])
    const { out: nothing } = await run(`
      const one = await worker('async (data, self) => { await self.sleep(3000); console.log("done") }')
      one.ref().unref()
      await one.start()`)
    assert.equal(nothing, '')
  })

  test('that calls process.exit ends at once, whatever its workers do', async () => {
    for (const text of [
      forever,
      "'() => { for (;;); }'",
      "'(data, self) => self.sleepSync(60000)'",
    ]) {
      const { code } = await run(`
        const one = await worker(${text})
        await one.start()
        process.exit(5)`)
      assert.equal(code, 5)
    }
  })

  test('that awaits a worker which never ends can still be ended by SIGINT', async () => {
    const code = `
      const { UserWorker } = await import(${JSON.stringify(index)})
      const one = await UserWorker.create('data:text/javascript,export default () => { for (;;); }')
      await one.start()
      console.log('running')
      await one.stop()`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    child.kill('SIGINT')
    const [, signal] = (await once(child, 'exit')) as [number | null, string]
    assert.equal(signal, 'SIGINT')
  })

  test('hears every listener of an exit, also behind one that throws', async () => {
    const { code, out } = await run(`
      process.once('uncaughtException', (error) => console.log(error.message))
      const one = await worker('() => 4')
      one.onExit(() => { throw new Error('from a listener') })
      one.onExit((code) => console.log('heard', code))
      await one.start()
      console.log('joined', await one.join())`)
    assert.deepEqual([code, out], [0, 'heard 4\nfrom a listener\njoined 4\n'])
  })

  test('leaves no zombie and no thread behind when a worker ends before its owner (BUG-UW-5)', async () => {
    const { out } = await run(`
      import { readdirSync } from 'node:fs'
      const threads = () => readdirSync('/proc/self/task').length
      const first = await worker(${untilStopped})
      await first.stop()
      ${untilGone}
      const before = threads()
      for (let i = 0; i < 5; i++) { const one = await worker(${untilStopped}); await one.start(); await one.stop() }
      ${untilGone}
      console.log(threads() - before)`)
    assert.equal(out, '0\n')
  })
})

describe('a creator', () => {
  // In a process of its own: Node leaves files open that a thread was reading modules from when it
  // was terminated.
  test('BUG-KT-9: that is killed at any moment of a creation leaves no row and no thread', async () => {
    const { code, out, err } = await run(`
      const { workerRows, table } = await import(${JSON.stringify(new URL('./table.js', import.meta.url).href)})
      const creator = \`async () => {
        const { UserWorker } = await import(${JSON.stringify(index)})
        const wait = 'const end = Date.now() + 10; while (Date.now() < end);'
        const slow = 'data:text/javascript,' + wait + 'export default () => {}'
        for (;;) await UserWorker.create(slow)
      }\`
      for (let round = 0; round < 40; round++) {
        const one = await worker(creator)
        await one.start()
        await new Promise((resolve) => setTimeout(resolve, (round * 7) % 90))
        one.kill()
        await one.join()
        if (workerRows(table()).length > 0) throw new Error('a row is left in round ' + round)
      }
      ${untilGone}
      console.log('all gone')`)
    assert.deepEqual([code, out], [0, 'all gone\n'], err)
  })
})

describe('the limits of the system', () => {
  test('UW-8: at the limit of threads (RLIMIT_NPROC) a creation fails with EAGAIN', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('needs root, to run a program as another user')
    const program = `
      import { execFileSync } from 'node:child_process'
      import { existsSync, readdirSync } from 'node:fs'
      const { UserWorker } = await import(${JSON.stringify(index)})
      const fn = 'data:text/javascript,export default async (d, self) => self.sleep(60000)'
      const first = await UserWorker.create(fn)
      await first.stop()
      ${untilGone}
      const used = readdirSync('/proc/self/task').length
      execFileSync('prlimit', ['--pid', String(process.pid), '--nproc=' + (used + 2)])
      const made = []
      let refused
      while (!refused && made.length < 5) {
        try { made.push(await UserWorker.create(fn)) } catch (error) { refused = error }
      }
      console.log(JSON.stringify({ code: refused?.code, cause: refused?.cause?.code, made: made.length }))
      const last = made.pop()
      await last.stop()
      while (existsSync('/proc/self/task/' + last.osThreadId)) await new Promise((resolve) => setTimeout(resolve, 2))
      made.push(await UserWorker.create(fn))
      console.log('again')
      for (const one of made) await one.stop()
      process.exit(0)`
    // No other process of this user is running: the limit counts all threads of a user.
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      ...stranger,
      encoding: 'utf8',
      timeout: 60_000,
    })
    const [report, again] = out.trim().split('\n')
    assert.deepEqual(JSON.parse(report ?? '{}'), {
      code: 'EAGAIN',
      cause: 'ERR_WORKER_INIT_FAILED',
      made: 2,
    })
    assert.equal(again, 'again')
  })

  test('without a file descriptor left a creation fails with EMFILE', async () => {
    const { out, err } = await run(`
      import { closeSync, openSync } from 'node:fs'
      const first = await worker(${untilStopped})
      await first.stop()
      const fds = []
      try { for (;;) fds.push(openSync('/dev/null', 'r')) } catch {}
      const error = await worker(${untilStopped}).catch((reason) => reason)
      for (const fd of fds) closeSync(fd)
      const again = await worker(${untilStopped})
      console.log(error.code, error.cause?.code, await again.stop())`)
    assert.equal(out, 'EMFILE ERR_WORKER_INIT_FAILED -4\n', err)
  })
})
