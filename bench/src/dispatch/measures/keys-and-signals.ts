/**
 * Works in order, and works that can be given up.
 *
 * @module
 */
import { setMaxListeners } from 'node:events'
import { Chains } from '../chains.js'
import { throughput } from '../in-flight.js'
import { single, type Measure, type Subject } from '../measure.js'

/** Works with these many keys, in turn. Pools without keys get promises chained by hand. */
const inOrder =
  (keys: number, inFlight: number) =>
  async ({ open, workers, spans }: Subject): Promise<number> => {
    const pool = await open({ workers, overlapping: false })
    if (pool.hasKeys)
      return throughput(inFlight, spans, (index) => pool.add(index, 1, { key: index % keys }))
    const chains = new Chains()
    return throughput(inFlight, spans, (index) =>
      chains.run(index % keys, () => pool.add(index, 1)),
    )
  }

const inFlight = 100

async function signalEach({ open, workers, spans }: Subject): Promise<number> {
  const pool = await open({ workers, overlapping: false })
  return throughput(inFlight, spans, (index) =>
    pool.add(index, 1, { signal: new AbortController().signal }),
  )
}

async function signalOne({ open, workers, spans }: Subject): Promise<number> {
  const pool = await open({ workers, overlapping: false })
  const { signal } = new AbortController()
  // Peers have a listener for each work, and Node would warn of a leak.
  setMaxListeners(0, signal)
  return throughput(inFlight, spans, (index) => pool.add(index, 1, { signal }))
}

export const keysAndSignals: readonly Measure[] = [
  single('one-key', 'works/s', inOrder(1, 100), { workers: 2, limits: [] }),
  single('keys-1000', 'works/s', inOrder(1000, 1000), { workers: 2, limits: [] }),
  single('signal-each', 'works/s', signalEach, { limits: [] }),
  single('signal-one', 'works/s', signalOne, { limits: [] }),
]
