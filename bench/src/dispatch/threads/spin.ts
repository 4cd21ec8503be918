/** A bare thread that answers each number in a word of shared memory in the word beside it. */
import { workerData } from 'node:worker_threads'

const words = new Int32Array(workerData as SharedArrayBuffer)

for (let seen = 0; ; seen = Atomics.load(words, 0)) {
  Atomics.store(words, 1, seen)
  while (Atomics.load(words, 0) === seen);
}
