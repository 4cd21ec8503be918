/**
 * A program to be forked: it tells its parent which workers it began with, and what becomes of one
 * of its own.
 *
 * @module
 */
import { threadsOf } from '../os/proc.js'
import { UserWorker } from './index.js'
import { functionOf } from './module.fixture.js'
import { workerRows, table } from './table.js'

/** What the program says. */
export interface Report {
  readonly rows: number
  readonly marked: number
  /** The number and the exit code of the worker it makes. */
  readonly own: readonly [number, number]
}

const rows = workerRows(table()).length
const marked = threadsOf().filter((thread) => thread.name.startsWith('uw:')).length
const worker = await UserWorker.create(functionOf('() => 3'))
await worker.start()
const report: Report = { rows, marked, own: [worker.id, await worker.join()] }
process.send?.(report)
