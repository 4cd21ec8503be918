/**
 * Works whose queue is frozen, or whose owner is ended.
 *
 * @module
 */
import type { Row } from '../row.js'

/** Works that wait in a frozen queue when it is closed. */
const closed = (title: string, isThawed: boolean): Row => ({
  title,
  expected: 'resolves: ["one","two"]',
  needs: ['freeze'],
  next: 'new',
  async run(trial) {
    const pool = await trial.warm()
    await pool.freeze?.()
    const works = ['one', 'two'].map((value) => pool.enqueue('echo', value))
    trial.begin()
    if (isThawed) pool.thaw?.()
    const closing = pool.close()
    const end = await trial.endOf(Promise.all(works.map(({ result }) => result)))
    await closing
    return end
  },
})

const frozen = closed('close of a frozen queue with works in it', false)
const thawed = closed('freeze, thaw and close with works in it', true)

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
