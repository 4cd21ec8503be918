import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue, type Work } from '../index.js'
import { threadsOf } from '../os/proc.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { marked, moduleOf, word, type Coded } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
const current = JSON.stringify(new URL('./current.js', import.meta.url).href)

const end = (work: Work): Promise<string> =>
  work.result.then(
    () => 'done',
    (error: Coded) => error.code ?? 'no code',
  )

/** A module whose thread has rights: one variable, which its works take over from their callers. */
const rights = moduleOf(`
  import { carry } from ${current}
  globalThis.rights = 'none'
  globalThis.takeRightsBack = carry('rights', {
    capture: () => globalThis.rights,
    run: (sent, fn) => {
      const before = globalThis.rights
      globalThis.rights = sent
      try {
        return fn()
      } finally {
        globalThis.rights = before
      }
    },
  })
`)

type WithRights = { rights: string; takeRightsBack: () => void }

/** What the tests of io_uring's own library assert about whom a work belongs to. */
describe('as in liburing, whose a work is', () => {
  test('self: the process that a work finds as its own is that of its caller [UW-2, INV-UW-3]', async () => {
    const { pid } = process
    const find = async (): Promise<unknown[]> => {
      const { readlinkSync, readFileSync } = await import('node:fs')
      const status = readFileSync('/proc/self/status', 'latin1')
      return [process.pid, Number(readlinkSync('/proc/self')), /^Tgid:\t(\d+)/m.exec(status)?.[1]]
    }
    await using queue = new WorkQueue(null, { maxWorkers: 1 })
    for (const unbounded of [false, true])
      assert.deepEqual(await queue.run(find, [], { unbounded }), [pid, pid, String(pid)])
  })

  test('personality: a work has the context of its submission, as a link too, and no unknown one', async (t) => {
    await using queue = new WorkQueue(null, { maxWorkers: 2, preload: [rights] })
    await import(rights)
    const here = globalThis as unknown as WithRights
    t.after(() => here.takeRightsBack())
    const tell = (): string => (globalThis as unknown as WithRights).rights
    const submit = (own: string, after?: Work): Work<string> => {
      here.rights = own
      const work = queue.enqueue(tell, [], after === undefined ? {} : { after })
      here.rights = 'changed since'
      return work
    }
    const first = submit('few')
    const second = submit('many', first)
    const third = submit('few', second)
    const results = await Promise.all([first, second, third].map(({ result }) => result))
    assert.deepEqual(results, ['few', 'many', 'few'])
    // What cannot be carried is refused before anything runs.
    here.rights = (() => {}) as never
    const counter = word()
    const count = (given: Int32Array): number => Atomics.add(given, 0, 1)
    await assert.rejects(queue.run(count, [counter]), { code: 'ERR_NOT_CLONEABLE' })
    assert.equal(counter[0], 0)
  })

  test('wq-aff: a worker has its queue in its name, and the CPUs that were named, and no others [WQ-8]', async () => {
    const [first] = await withWorker((queue) => queue.run(ownCpus))
    const cpu = Number(/^\d+/.exec(first ?? '')?.[0])
    const names: string[] = []
    const found = await withWorker(
      async (queue) => {
        const cpus = await queue.run(ownCpus)
        names.push(...threadsOf().map(({ name }) => name))
        return cpus
      },
      [cpu],
    )
    assert.deepEqual(found, [String(cpu)])
    assert.ok(
      names.some((name) => name.startsWith('uw:aff')),
      names.join(),
    )
    const refused = new WorkQueue(handlers, { maxWorkers: 1, cpus: [4000] })
    await assert.rejects(refused.run('nothing'), { code: 'EINVAL' })
    await refused.close()
  })

  test('io-cancel: a cancel in another queue finds nothing, and the work there goes on [WQ-43]', async () => {
    await using queue = new WorkQueue<typeof Handlers>(handlers, { maxWorkers: 1 })
    await using other = new WorkQueue<typeof Handlers>(handlers, { maxWorkers: 1 })
    const [begun, gate, ended] = [word(), word(), word()]
    const running = queue.enqueue('pass', [begun, gate, ended])
    const pending = queue.enqueue('nothing')
    await marked(begun)
    for (const work of [running, pending]) {
      assert.deepEqual(other.cancel(work), { outcome: 'not-found', canceled: 0, running: 0 })
    }
    assert.equal(other.cancel(() => true, { all: true }).outcome, 'not-found')
    assert.deepEqual([running.state, pending.state], ['running', 'pending'])
    Atomics.store(gate, 0, 1)
    assert.deepEqual(await Promise.all([running, pending].map(end)), ['done', 'done'])
  })

  test('link_drain: what is submitted behind a flush begins when all before it has ended [WQ-36]', async () => {
    await using queue = new WorkQueue<typeof Handlers>(handlers, { maxWorkers: 4 })
    const begun = word(16)
    const ended = word(16)
    for (let round = 0; round < 5; round++) {
      begun.fill(0)
      ended.fill(0)
      const works: Work[] = []
      for (let place = 0; place < 16; place++) {
        if (place === 8) {
          await queue.flush()
          assert.equal(ended.slice(0, 8).join(), '1,1,1,1,1,1,1,1')
          assert.equal(begun.slice(8).join(), '0,0,0,0,0,0,0,0')
        }
        // Some in chains, some of one key, some alone.
        const after = works.at(-1)
        const options =
          place % 3 === 0 ? { key: 'k' } : place % 3 === 1 || after === undefined ? {} : { after }
        works.push(queue.enqueue('mark', [begun, place, ended, 1], options))
      }
      assert.deepEqual(new Set(await Promise.all(works.map(end))), new Set(['done']))
    }
  })
})

/** Runs something on a queue of its own. */
async function withWorker(
  call: (queue: WorkQueue) => Promise<string>,
  cpus?: readonly number[],
): Promise<string[]> {
  const name = 'aff'
  await using queue = new WorkQueue(null, { name, maxWorkers: 1, ...(cpus && { cpus: [...cpus] }) })
  return [await call(queue)]
}

/** Handler: the CPUs on which this very thread may run. */
async function ownCpus(): Promise<string> {
  const { readFileSync } = await import('node:fs')
  const status = readFileSync('/proc/thread-self/status', 'latin1')
  return /^Cpus_allowed_list:\t(.*)$/m.exec(status)?.[1] ?? ''
}
