import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, test } from 'node:test'
import { WorkQueue, type Work } from '../index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { moduleOf } from '../worker/module.fixture.js'

checkForLeaks()

/** Handlers in a thread that writes down what its channels told. */
const handlers = moduleOf(`
  import { subscribe } from 'node:diagnostics_channel'
  const heard = []
  for (const event of ['execute-start', 'execute-end']) {
    subscribe('userworker:' + event, ({ work }) => heard.push(event + ' ' + work.name + ' ' + work.id))
  }
  export const twice = async (value) => { heard.push('twice'); return value * 2 }
  export const fail = () => { throw new Error('no') }
  export const told = () => heard.splice(0)`)

describe('the trace channels of a queue', () => {
  test('KT-27: tell when a work was queued, began and ended, also by an error', async () => {
    const queued: string[] = []
    const listener = (message: unknown): void => {
      const { queue, work } = message as { queue: WorkQueue; work: Work }
      queued.push(`${queue.name} ${work.name} ${work.id} ${work.state}`)
    }
    subscribe('userworker:queue', listener)
    const queue = new WorkQueue(handlers, { name: 'q', maxWorkers: { bounded: 1 } })
    try {
      assert.equal(await queue.run('twice', [4]), 8)
      await assert.rejects(queue.run('fail'))
      assert.deepEqual(await queue.run('told'), [
        'execute-start twice 1',
        'twice',
        'execute-end twice 1',
        'execute-start fail 2',
        'execute-end fail 2',
        'execute-start told 3',
      ])
      assert.deepEqual(queued, ['q twice 1 pending', 'q fail 2 pending', 'q told 3 pending'])
    } finally {
      unsubscribe('userworker:queue', listener)
      await queue.close()
    }
  })
})
