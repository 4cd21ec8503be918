/**
 * A plain thread that looks at an owner's workers without a pause, as fast as it can: what was so for
 * an instant only, it has a chance to see.
 *
 * @module
 */
import * as memory from '#memory'
import { sampleThread, threadsOf } from '../os/proc.js'
import { workerData } from '../os/thread.js'
import { at, below, Field, isWorker, table } from './table.js'

/** What the observer is told, and tells. */
export interface Observed {
  readonly row: number
  /** The names of the owner's threads begin so. */
  readonly prefix: string
  /** Set to 1 to end it; then how often it looked, the most admitted rows, and the most threads. */
  readonly words: Int32Array<SharedArrayBuffer>
}

const { row, prefix, words } = workerData as Observed

/** Rows whose claim was allowed; others may be there while the limit is looked at. */
function admitted(): number {
  const all = table()
  return below(all, row).filter(
    (each) => isWorker(all, each) && memory.load(all, at(each, Field.ADMITTED)) === 1,
  ).length
}

/** Threads of the system, which are named soon after they are made. */
function threads(): number {
  return threadsOf().filter(
    ({ tid, name }) => name.startsWith(prefix) && sampleThread(tid)?.name.startsWith(prefix),
  ).length
}

while (memory.load(words, 0) === 0) {
  memory.store(words, 2, Math.max(memory.load(words, 2), admitted()))
  if (memory.load(words, 1) % 50 === 0) {
    memory.store(words, 3, Math.max(memory.load(words, 3), threads()))
  }
  memory.add(words, 1, 1)
}
