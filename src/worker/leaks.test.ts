import assert from 'node:assert/strict'
import { closeSync, openSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkForLeaks, descriptors, leaks } from './leaks.fixture.js'
import { until } from '../os/own-thread.fixture.js'
import { Pending } from '../os/pending.js'
import { UserWorker } from './index.js'
import { functionOf } from './module.fixture.js'

checkForLeaks()

describe('the leak check', () => {
  test('finds nothing where nothing is left', () => {
    assert.deepEqual(leaks(descriptors()), [])
  })

  test('finds a worker that was not stopped, and its thread', async () => {
    const open = descriptors()
    const worker = await UserWorker.create(functionOf('() => {}'), { name: 'left' })
    const found = leaks(open)
    assert.ok(
      found.some((line) => /^worker in row \d+$/.test(line)),
      found.join('; '),
    )
    assert.ok(found.includes(`thread ${worker.osThreadId} named uw:left`), found.join('; '))
    await worker.stop()
    // To the system its thread is there for a moment after it was joined.
    await until('nothing is left', () => leaks(open).length === 0)
  })

  test('finds an open file descriptor', () => {
    const open = descriptors()
    const fd = openSync('/dev/null', 'r')
    assert.deepEqual(leaks(open), ['1 open /dev/null'])
    closeSync(fd)
  })

  test('passes over a module file, which Node leaves open when a thread ends while it loads', () => {
    const open = descriptors()
    const fd = openSync(fileURLToPath(import.meta.url), 'r')
    assert.deepEqual(leaks(open), [])
    closeSync(fd)
  })

  test('finds a promise that was given out and not settled', () => {
    const pending = new Pending<void>('the answer')
    assert.deepEqual(leaks(descriptors()), ['pending: the answer'])
    pending.resolve()
    assert.deepEqual(leaks(descriptors()), [])
  })
})
