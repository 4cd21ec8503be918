/**
 * Ways in which a thread dies while works are there.
 *
 * @module
 */
import { wordsOf } from '../words.js'
import type { Pool, Row, Trial } from '../row.js'

/** A work in the course of which its thread dies. */
const dies = (title: string, handler: string, expected: string, value?: unknown): Row => ({
  title,
  expected,
  async run(trial) {
    const pool = await trial.warm({ heapMb: 24 })
    trial.begin()
    return trial.endOf(pool.enqueue(handler, value).result)
  },
})

const inFlight = 1000
const deadly = 500

/** Takes the time of the owner, so that it hears of nothing. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const terminated: Row = {
  title: "somebody calls terminate() on the work's thread",
  expected: 'ERR_WORKER_DIED',
  needs: ['threads'],
  async run(trial) {
    const pool = await trial.warm()
    const work = pool.enqueue('spin', trial.mark)
    await trial.marked(1)
    trial.begin()
    void trial.threads.at(-1)?.terminate()
    return trial.endOf(work.result)
  },
}

const terminatedBeforeItBegins: Row = {
  title: 'terminate() between claim and begin, while the owner is busy',
  // Nothing of it has happened yet: it runs on the next thread.
  expected: 'resolves: 1',
  needs: ['threads'],
  async run(trial) {
    const pool = await trial.warm()
    // A Blob goes by message: the worker claims the work, and waits for the busy owner to send it.
    const value = { file: trial.mark, line: 1, blob: new Blob(['']) }
    return terminatedWhileBusy(trial, pool, value)
  },
}

const terminatedBeforeItIsHeard: Row = {
  title: 'terminate() between completion and hearing of it, while the owner is busy',
  expected: 'resolves: 1',
  needs: ['threads'],
  async run(trial) {
    return terminatedWhileBusy(trial, await trial.warm(), { file: trial.mark, line: 1 })
  },
}

// oxlint-disable-next-line typescript/promise-function-async
function terminatedWhileBusy(trial: Trial, pool: Pool, value: object): Promise<string> {
  const { result } = pool.enqueue('mark', value)
  block(100)
  trial.begin()
  void trial.threads.at(-1)?.terminate()
  return trial.endOf(result)
}

const amongMany: Row = {
  title: `process.exit in one of ${inFlight} works in flight`,
  expected: '999 resolve, 1 × ERR_WORKER_EXITED, exitCode 7; each ran once',
  deadlineMs: 1000,
  async run(trial) {
    const pool = await trial.warm()
    trial.begin()
    const works = Array.from({ length: inFlight }, (_, line) =>
      pool.enqueue(line === deadly ? 'markAndExit' : 'mark', { file: trial.mark, line }),
    )
    const all = Promise.allSettled(works.map(({ result }) => result))
    trial.follow(works.map(({ result }) => result))
    await trial.endOf(all.then(() => null))
    const ran = await trial.marked(0)
    const resolved = (await all).filter(({ status }) => status === 'fulfilled').length
    const count = `${resolved} resolve, ${failuresOf(await all)}`
    const once = new Set(ran).size === inFlight && ran.length === inFlight
    return `${count}; ${once ? 'each ran once' : `${ran.length} runs of ${new Set(ran).size}`}`
  },
}

function failuresOf(ends: readonly PromiseSettledResult<unknown>[]): string {
  const counts = new Map<string, number>()
  for (const end of ends) {
    if (end.status === 'fulfilled') continue
    const words = wordsOf(end.reason)
    counts.set(words, (counts.get(words) ?? 0) + 1)
  }
  return [...counts].map(([words, count]) => `${count} × ${words}`).join(', ')
}

const besideKilled: Row = {
  title: 'three works beside one that is aborted, whose thread is ended after 100 ms',
  expected: 'ERR_WORKER_DIED, innocent: true, cause ABORT_ERR',
  needs: ['overlap'],
  deadlineMs: 100,
  async run(trial) {
    const pool = await trial.warm({ overlap: 4 })
    const controller = new AbortController()
    const guilty = { signal: controller.signal, killAfterMs: 100 }
    const innocent = [1, 2, 3].map(() => pool.enqueue('later', trial.mark))
    pool.enqueue('wait', trial.mark, guilty)
    await trial.marked(4)
    trial.begin()
    controller.abort()
    const ends = await Promise.all(innocent.map(({ result }) => trial.endOf(result)))
    return [...new Set(ends)].join(' / ')
  },
}

export const deaths: readonly Row[] = [
  dies('process.exit(7)', 'exit', 'ERR_WORKER_EXITED, exitCode 7', 7),
  dies('a throw in a timer', 'throwInTimer', 'ERR_WORKER_DIED, cause RangeError'),
  dies('an unhandled rejection', 'rejectUnhandled', 'ERR_WORKER_DIED, cause RangeError'),
  dies('a full heap', 'fillHeap', 'ERR_WORKER_OUT_OF_MEMORY, cause ERR_WORKER_OUT_OF_MEMORY'),
  {
    ...dies('SIGKILL to the process', 'killProcess', 'ERR_WORKER_DIED'),
    needs: ['processes'],
  },
  terminated,
  terminatedBeforeItBegins,
  terminatedBeforeItIsHeard,
  amongMany,
  besideKilled,
]
