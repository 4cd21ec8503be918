/**
 * One work at a time: how long until its result is there.
 *
 * @module
 */
import { Worker } from 'node:worker_threads'
import { spreadOf } from '../../rounds.js'
import { single, type Figures, type Measure, type Spans, type Subject } from '../measure.js'
import { threadFile } from '../pools/pool.js'

/** More round trips than a machine makes in the time. */
const mostSamples = 2 ** 22

async function latency({ open, spans, workers }: Subject): Promise<Figures> {
  const pool = await open({ workers, overlapping: false })
  const warm = performance.now() + spans.warmUpMs
  while (performance.now() < warm) await pool.add(1, 2)
  const samples = new Float64Array(mostSamples)
  const end = performance.now() + spans.measuredMs
  let count = 0
  for (let before = performance.now(); before < end && count < mostSamples;) {
    await pool.add(count, 1)
    const after = performance.now()
    samples[count++] = after - before
    before = after
  }
  return inMicroseconds(samples.subarray(0, count))
}

/**
 * The limit of what shared memory can do: both threads look at it without a pause. The system may
 * start them on one CPU, and takes some tenths of a second to part them: warm up for so long.
 */
export async function spin({ warmUpMs, measuredMs }: Spans): Promise<Figures> {
  const shared = new SharedArrayBuffer(8)
  const words = new Int32Array(shared)
  const worker = new Worker(threadFile('spin'), { workerData: shared })
  // Blocking while the thread boots would keep it from booting.
  await new Promise((resolve) => {
    worker.once('online', resolve)
  })
  const samples = new Float64Array(mostSamples)
  const warm = performance.now() + warmUpMs
  const end = warm + measuredMs
  let [turn, count] = [0, 0]
  for (let before = performance.now(); before < end && count < mostSamples;) {
    Atomics.store(words, 0, ++turn)
    while (Atomics.load(words, 1) !== turn);
    const after = performance.now()
    if (after > warm) samples[count++] = after - before
    before = after
  }
  return inMicroseconds(samples.subarray(0, count))
}

function inMicroseconds(samples: Float64Array): Figures {
  const { p50, p99 } = spreadOf(Array.from(samples))
  return { p50: p50 * 1000, p99: p99 * 1000 }
}

/**
 * From before the package is imported until the first result, in a process that did nothing yet.
 */
async function firstResult({ open, workers }: Subject): Promise<number> {
  const before = performance.now()
  const pool = await open({ workers, overlapping: false })
  await pool.add(1, 2)
  return performance.now() - before
}

export const latencies: readonly Measure[] = [
  {
    name: 'latency',
    cases: [
      { name: 'latency-p50', unit: 'us', figure: 'p50' },
      { name: 'latency-p99', unit: 'us', figure: 'p99' },
    ],
    workers: 1,
    limits: ['postMessage', 'spin'],
    sample: latency,
  },
  single('one-core-latency', 'us', async (subject) => (await latency(subject))['p50'] ?? NaN, {
    onOneCpu: true,
  }),
  single('first-result', 'ms', firstResult),
]
