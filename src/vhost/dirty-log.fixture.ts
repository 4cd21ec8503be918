/**
 * A thread that marks a page of its own again and again, in a word that another thread marks as well.
 * Each time it finds it marked, and takes it back, as a frontend does. Its exit code tells whether one
 * was lost.
 */
import { workerData } from 'node:worker_threads'
import { DirtyPages } from './dirty-log.js'

const { log, gate, page } = workerData as {
  log: SharedArrayBuffer
  gate: Int32Array<SharedArrayBuffer>
  page: number
}
const rounds = 300_000
const dirty = new DirtyPages(log)
const words = new Int32Array(log)
Atomics.add(gate, 0, 1)
while (Atomics.load(gate, 0) < 2);
for (let round = 0; round < rounds; round += 1) {
  dirty.mark(page * 4096, 1)
  if ((Atomics.and(words, 0, ~(1 << page)) & (1 << page)) === 0) process.exitCode = 1
}
