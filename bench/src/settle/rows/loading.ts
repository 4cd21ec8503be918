/**
 * Modules that are no good.
 *
 * @module
 */
import type { Row } from '../row.js'
import { wordsOf } from '../words.js'

const throws: Row = {
  title: 'the module throws at import',
  expected: 'ERR_MODULE_LOAD, cause RangeError',
  next: 'new',
  async run(trial) {
    const pool = await trial.open({ module: 'throws' })
    return trial.endOf(pool.enqueue('echo').result)
  },
}

const never: Row = {
  title: 'the module never finishes loading, and may take 500 ms',
  expected: 'ERR_MODULE_LOAD_TIMEOUT',
  deadlineMs: 500,
  next: 'new',
  async run(trial) {
    const pool = await trial.open({ module: 'never', loadDeadlineMs: 500 })
    return trial.endOf(pool.enqueue('echo').result)
  },
}

const noSuchExport: Row = {
  title: 'the module has no such export',
  expected: 'ERR_NO_HANDLER, lists the exports',
  async run(trial) {
    const pool = await trial.warm()
    trial.begin()
    return trial.endOf(pool.enqueue('nowhere').result, (error) => {
      const text = String(error)
      const lists = text.includes('echo') && text.includes('overflow')
      return lists ? `${wordsOf(error)}, lists the exports` : wordsOf(error)
    })
  },
}

export const loading: readonly Row[] = [throws, never, noSuchExport]
