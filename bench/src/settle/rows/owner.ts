/**
 * Works whose queue is frozen, or whose owner is ended.
 *
 * @module
 */
import type { Row } from '../row.js'

const frozen: Row = {
  title: 'close of a frozen queue with works in it',
  expected: 'resolves: ["one","two"]',
  needs: ['freeze'],
  next: 'new',
  async run(trial) {
    const pool = await trial.warm()
    await pool.freeze?.()
    const works = ['one', 'two'].map((value) => pool.enqueue('echo', value))
    trial.begin()
    const closing = pool.close()
    const end = await trial.endOf(Promise.all(works.map(({ result }) => result)))
    await closing
    return end
  },
}

const thawed: Row = {
  title: 'freeze, thaw and close with works in it',
  expected: 'resolves: ["one","two"]',
  needs: ['freeze'],
  next: 'new',
  async run(trial) {
    const pool = await trial.warm()
    await pool.freeze?.()
    const works = ['one', 'two'].map((value) => pool.enqueue('echo', value))
    trial.begin()
    pool.thaw?.()
    const closing = pool.close()
    const end = await trial.endOf(Promise.all(works.map(({ result }) => result)))
    await closing
    return end
  },
}

const killed: Row = {
  title: 'for(;;) and the kill of its owner',
  expected: 'ERR_OWNER_KILLED, cause RangeError',
  needs: ['owner'],
  next: 'new',
  async run(trial) {
    const pool = await trial.warm({ owned: true })
    const work = pool.enqueue('spin', trial.mark)
    await trial.marked(1)
    trial.begin()
    pool.killOwner?.(new RangeError('the reason'))
    return trial.endOf(work.result)
  },
}

const refused: Row = {
  title: 'a work for the queue of a killed owner',
  expected: 'ERR_OWNER_KILLED, cause RangeError',
  needs: ['owner'],
  next: 'new',
  async run(trial) {
    const pool = await trial.warm({ owned: true })
    pool.killOwner?.(new RangeError('the reason'))
    trial.begin()
    return trial.endOf(pool.enqueue('echo').result)
  },
}

export const owner: readonly Row[] = [frozen, thawed, killed, refused]
