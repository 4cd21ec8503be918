/** A thread that marks every second page of a log, one by one, once all threads are there. */
import { workerData } from 'node:worker_threads'
import { DirtyPages } from './dirty-log.js'

const { log, gate, first } = workerData as {
  log: SharedArrayBuffer
  gate: Int32Array<SharedArrayBuffer>
  first: number
}
const dirty = new DirtyPages(log)
const pages = log.byteLength * 8
Atomics.add(gate, 0, 1)
while (Atomics.load(gate, 0) < 2);
for (let page = first; page < pages; page += 2) dirty.mark(page * 4096, 1)
