import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from './leaks.fixture.js'
import { runProgram } from './program.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('./index.js', import.meta.url).href)

/** Runs a program with a debugger, `post(method, params)` and the `seen` events of it. */
const debugged = (body: string): ReturnType<typeof runProgram> =>
  runProgram(`
    import { Session } from 'node:inspector/promises'
    const { UserWorker } = await import(${index})
    const session = new Session()
    session.connect()
    const seen = []
    session.on('inspectorNotification', ({ method, params }) => {
      seen.push([method, params.workerInfo?.title ?? ''].join(' ').trim())
    })
    const post = (method, params) => session.post(method, params)
    const count = new Int32Array(new SharedArrayBuffer(4))
    const text = \`async (count, self) => {
      while (!self.shouldStop()) { Atomics.add(count, 0, 1); await self.sleep(1) }
    }\`
    const module = 'data:text/javascript,' + encodeURIComponent('export default ' + text)
    const make = (name) => UserWorker.create(module, { name, data: count })
    ${body}
    session.disconnect()`)

describe('a debugger that is attached to the owner', () => {
  test('UW-11: is told nothing of workers unless it asks for them, and does not hold them up', async () => {
    const { code, out, err } = await debugged(`
      await post('Debugger.enable')
      seen.length = 0
      const worker = await make('quiet')
      await worker.start()
      while (Atomics.load(count, 0) < 10) await new Promise((resolve) => setTimeout(resolve, 1))
      await worker.stop()
      console.log(seen.filter((event) => !event.startsWith('Debugger.scriptParsed')).length)`)
    assert.deepEqual([code, out], [0, '0\n'], err)
  })

  test('UW-11: can list them, each once and by its name', async () => {
    const { code, out, err } = await debugged(`
      const workers = [await make('one'), await make('two')]
      await post('NodeWorker.enable', { waitForDebuggerOnStart: false })
      while (seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 1))
      await new Promise((resolve) => setTimeout(resolve, 100))
      console.log(seen.sort().join())
      for (const worker of workers) console.log(await worker.start(), await worker.stop())`)
    const listed = ['one', 'two'].map(
      (name, at) => `NodeWorker.attachedToWorker [worker ${at + 1}] ${name}`,
    )
    assert.deepEqual([code, out], [0, `${listed.join()}\ntrue 0\ntrue 0\n`], err)
  })
})
