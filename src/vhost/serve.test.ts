import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { UserWorkerError } from '../errors.js'
import { until } from '../os/own-thread.fixture.js'
import { Frontend } from '../testing/index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { deviceModule } from './device-under-test.fixture.js'
import { asking, Serve, Word } from './device.fixture.js'
import { serve, type ServedDevice } from './serve.js'

const skip = process.platform === 'linux' ? false : 'needs system calls of Linux'

checkForLeaks()

/** The device of the fixture, served, and a frontend that drives it. */
async function served(
  t: TestContext,
): Promise<{ device: ServedDevice; frontend: Frontend; words: Int32Array }> {
  const folder = mkdtempSync(join(tmpdir(), 'uw-serve-'))
  const socket = join(folder, 'socket')
  const words = new Int32Array(new SharedArrayBuffer(4 * (Word.VRINGS + 4)))
  const device = await serve(new URL(deviceModule), {
    socket,
    name: 'dev',
    data: { words, vrings: 1 },
  })
  const frontend = await Frontend.connect(socket, { waitMs: 60_000 })
  t.after(async () => {
    Atomics.store(words, Word.GATE, 1)
    await frontend.close()
    await device.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { device, frontend, words }
}

describe('a served device', { skip }, () => {
  test('tells of a vring that is broken, which its driver hears too', async (t) => {
    const { device, frontend } = await served(t)
    const broken = once(device, 'broken')
    void frontend.queue.request([asking(Serve.THROW)], [16]).catch(() => {})
    const [vring, error] = (await broken) as [number, Error]
    assert.deepEqual([vring, error.message], [0, 'This request is thrown back'])
    await frontend.queue.waitForError()
  })

  test('tells what holds up the end of a connection, and goes on waiting for it', async (t) => {
    const { device, frontend, words } = await served(t)
    void frontend.queue.request([asking(Serve.GATE)], [16]).catch(() => {})
    await until('it is under way', () => Atomics.load(words, Word.CALLS) === 1)
    const [problem, over] = [once(device, 'problem'), once(device, 'disconnect')]
    await frontend.close()
    const [error] = (await problem) as [UserWorkerError]
    assert.equal(error.code, 'ETIME')
    assert.match(error.message, /^Device 'dev': vring 0 is to stop, and waits for requests/)
    Atomics.store(words, Word.GATE, 1)
    await over
    assert.equal(device.isConnected, false)
  })
})
