/**
 * Queues whose child processes are killed from outside: by hand, and by the system for want of memory.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { WorkQueue, type WorkerInfo } from 'userworker'
import { Cgroup } from './cgroup.js'
import { until } from './child.js'
import type * as Handlers from './child-handlers.fixture.js'
import { diceOf, freshSeed } from './dice.js'

const module = new URL('./child-handlers.fixture.js', import.meta.url)
const [rounds, works] = [8, 12]

type Queue = WorkQueue<typeof Handlers>

/** A queue of child processes, and the file in which its works count how often they began. */
function queueOf(t: TestContext, maxWorkers: number): { queue: Queue; begun: () => number[] } {
  const folder = mkdtempSync(join(tmpdir(), 'userworker-'))
  const data = join(folder, 'begun')
  writeFileSync(data, '')
  const queue: Queue = new WorkQueue(module, { isolation: 'process', maxWorkers, data })
  t.after(async () => {
    await queue.close()
    rmSync(folder, { recursive: true })
  })
  const begun = (): number[] => readFileSync(data, 'utf8').split('\n').filter(Boolean).map(Number)
  return { queue, begun }
}

const childrenOf = (queue: Queue): number[] =>
  queue.workers().flatMap(({ processId }: WorkerInfo) => processId ?? [])
const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((error: Error & { code?: string }) => error.code ?? error.message)
const isGone = (pid: number): boolean => spawnSync('kill', ['-0', String(pid)]).status !== 0

/** What a child died of; a work that its death reached before it had begun runs in the next one. */
async function dies(
  queue: Queue,
  pid: number,
  ends: Promise<unknown>,
  codes: readonly string[],
): Promise<void> {
  assert.ok(codes.includes(String(await ends)), `${String(await ends)}, not ${codes.join(' or ')}`)
  await until(`the child ${pid} is gone`, () => isGone(pid))
  assert.equal(await queue.run('answer', [-1, 0]), -1, 'the next work runs')
}

describe('child processes of a queue', () => {
  test('that are killed in the midst of works, again and again, lose and repeat none', async (t) => {
    const seed = freshSeed()
    const dice = diceOf(seed)
    const { queue, begun } = queueOf(t, 2)
    let [kills, died] = [0, 0]
    for (let round = 0; round < rounds; round++) {
      const first = round * works
      const ends = Array.from({ length: works }, (_, at) =>
        outcome(queue.run('answer', [first + at, dice(10)])),
      )
      // Some have begun, and others wait.
      await until('a work has begun', () => begun().some((number) => number >= first))
      const [victim] = childrenOf(queue).slice(dice(2))
      if (victim !== undefined && round % 4 < 3) {
        process.kill(victim, 'SIGKILL')
        kills++
      }
      for (const [at, end] of (await Promise.all(ends)).entries()) {
        if (end === 'ERR_WORKER_DIED') died++
        else assert.equal(end, first + at, `seed ${seed}`)
      }
    }
    const numbers = begun()
    assert.equal(new Set(numbers).size, numbers.length, `seed ${seed}: a work ran twice`)
    assert.ok(died <= kills, `${died} works died of ${kills} kills`)
    t.diagnostic(`seed ${seed}: ${kills} kills, of which ${died} works died`)
  })

  test('that use more than the memory of their cgroup are killed by the system, alone', async (t) => {
    let group = Cgroup.make(t, null, 'memory.max')
    let file = 'memory.max'
    if (typeof group === 'string') {
      group = Cgroup.make(t, 'memory', 'memory.limit_in_bytes')
      file = 'memory.limit_in_bytes'
    }
    if (typeof group === 'string') return t.skip(group)
    group.set(file, String(150 * 2 ** 20))
    const [{ queue }, other] = [queueOf(t, 1), queueOf(t, 1)]
    await Promise.all([queue.ready(), other.queue.ready()])
    const [pid = 0] = childrenOf(queue)
    group.add(pid)
    const beside = Array.from({ length: 20 }, (_, at) => other.queue.run('answer', [at, 1]))
    await dies(queue, pid, outcome(queue.run('fill', [2 ** 30])), ['ERR_WORKER_DIED'])
    assert.deepEqual(await Promise.all(beside), [...Array.from({ length: 20 }).keys()])
  })

  test('that may have no more memory (RLIMIT_DATA) die of it, alone', async (t) => {
    const { queue } = queueOf(t, 1)
    await queue.ready()
    const [pid = 0] = childrenOf(queue)
    const limited = spawnSync('prlimit', ['--pid', String(pid), `--data=${220 * 2 ** 20}`])
    if (limited.status !== 0)
      return t.skip(`prlimit cannot do this here: ${limited.stderr.toString()}`)
    await dies(queue, pid, outcome(queue.run('fillHeap', [])), [
      // V8 says so where it is V8 that is refused, and else nobody does.
      'ERR_WORKER_OUT_OF_MEMORY',
      'ERR_WORKER_DIED',
    ])
  })
})

describe('threads of a queue', () => {
  test('that fill their heaps, again and again, die alone, and the works beside come right', async (t) => {
    const queue = new WorkQueue<typeof Handlers>(module, {
      maxWorkers: 2,
      resourceLimits: { maxOldGenerationSizeMb: 16 },
    })
    t.after(() => queue.close())
    for (let round = 0; round < 4; round++) {
      const numbers = [...Array.from({ length: 20 }).keys()]
      const full = outcome(queue.run('fillHeap', []))
      const beside = numbers.map((number) => queue.run('answer', [number, 1]))
      assert.deepEqual(await Promise.all(beside), numbers)
      assert.equal(await full, 'ERR_WORKER_OUT_OF_MEMORY')
    }
  })
})
