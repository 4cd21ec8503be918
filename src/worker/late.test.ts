import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { nextTurn } from '../os/clock.js'
import { UserWorker } from './index.js'
import { checkForLeaks } from './leaks.fixture.js'
import { beginning, functionOf, moduleOf, whileLoading } from './module.fixture.js'

checkForLeaks()

describe('what comes at the last moment', () => {
  test('is right: a creation that is given up when the worker was just made rejects', async () => {
    const abort = new AbortController()
    const { signal } = abort
    const module = moduleOf(`${beginning}; export default () => 7`)
    const created = whileLoading(() => UserWorker.create(module, { signal }))
    // The thread says that it is there, and this one does not hear of it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
    abort.abort()
    await assert.rejects(created, { code: 'ABORT_ERR' })
  })

  test('counts: who looks at the error in the turn of the end is not warned of it', async () => {
    const warnings: Error[] = []
    const warn = (warning: Error): number => warnings.push(warning)
    process.on('warning', warn)
    const worker = await UserWorker.create(functionOf("() => { throw new Error('seen') }"))
    await worker.start()
    while (worker.exitCode === null) await new Promise((resolve) => setImmediate(resolve))
    assert.match(String(worker.error), /seen/)
    for (let turn = 0; turn < 5; turn++) await nextTurn()
    process.off('warning', warn)
    assert.deepEqual(warnings, [])
  })
})
