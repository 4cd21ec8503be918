/**
 * Works that are made to end: by a close, a signal, a time-out, a cancel.
 *
 * @module
 */
import type { Row } from '../row.js'

const loop = 'for(;;)'
/** How long after it was told to end a thread is ended by force. */
const killAfterMs = 100

const closed: Row = {
  title: `${loop} and close, which waits for 500 ms`,
  expected: 'ECANCELED',
  deadlineMs: 500,
  next: 'new',
  async run(trial) {
    const pool = await trial.warm({ closeDeadlineMs: 500 })
    const work = pool.enqueue('spin', trial.mark)
    await trial.marked(1)
    trial.begin()
    const closing = pool.close()
    const end = await trial.endOf(work.result)
    await closing
    return end
  },
}

const abortedInLoop: Row = {
  title: `${loop} and abort, the thread is ended after ${killAfterMs} ms`,
  expected: 'ABORT_ERR, cause AbortError',
  async run(trial) {
    const pool = await trial.warm()
    const controller = new AbortController()
    const { signal } = controller
    const work = pool.enqueue('spin', trial.mark, { signal, killAfterMs })
    await trial.marked(1)
    trial.begin()
    controller.abort()
    return trial.endOf(work.result)
  },
}

const late: Row = {
  title: `${loop} with a time-out of 300 ms`,
  expected: 'ETIME',
  deadlineMs: 300,
  async run(trial) {
    const pool = await trial.warm()
    trial.begin()
    return trial.endOf(pool.enqueue('spin', trial.mark, { timeoutMs: 300, killAfterMs }).result)
  },
}

const canceled: Row = {
  title: `${loop} and cancel by its handle, the thread is ended after ${killAfterMs} ms`,
  expected: 'ECANCELED',
  deadlineMs: killAfterMs,
  needs: ['handle'],
  async run(trial) {
    const pool = await trial.warm()
    const work = pool.enqueue('spin', trial.mark, { killAfterMs })
    await trial.marked(1)
    trial.begin()
    work.cancel?.()
    return trial.endOf(work.result)
  },
}

const abortedBefore: Row = {
  title: 'abort before the work is submitted',
  expected: 'ABORT_ERR, cause AbortError',
  async run(trial) {
    const pool = await trial.warm()
    trial.begin()
    return trial.endOf(pool.enqueue('echo', 1, { signal: AbortSignal.abort() }).result)
  },
}

const abortedDuring: Row = {
  title: 'abort while the work awaits',
  expected: 'ABORT_ERR, cause AbortError',
  async run(trial) {
    const pool = await trial.warm()
    const controller = new AbortController()
    const work = pool.enqueue('soon', trial.mark, { signal: controller.signal })
    await trial.marked(1)
    trial.begin()
    controller.abort()
    return trial.endOf(work.result)
  },
}

const abortedAfter: Row = {
  title: 'abort when the work has ended',
  expected: 'resolves: "done"',
  deadlineMs: 100,
  async run(trial) {
    const pool = await trial.warm()
    const controller = new AbortController()
    trial.begin()
    const work = pool.enqueue('soon', trial.mark, { signal: controller.signal })
    const end = await trial.endOf(work.result)
    controller.abort()
    return end
  },
}

export const ends: readonly Row[] = [
  closed,
  abortedInLoop,
  late,
  canceled,
  abortedBefore,
  abortedDuring,
  abortedAfter,
]
