/**
 * Works that carry their caller's context. Only ours can: so these stand beside the same without a
 * carrier. The stores themselves are there in each case, for Node takes time for them anyway: before
 * Node 24 each promise of a program that has entered one costs more.
 *
 * @module
 */
import { pathToFileURL } from 'node:url'
import { throughput } from '../in-flight.js'
import { single, type Measure, type Subject } from '../measure.js'
import { threadFile } from '../pools/pool.js'

type Kind = 'immutable' | 'mutable'

/** As of a request: who asks, and for whom. */
const store = { request: 'b7ad6b7169203331', tenant: 'acme', plan: 'gold' }

/** Works inside of so many stores, all of them carried, or none. */
const inside =
  (kind: Kind, count: number, isCarried: boolean, inFlight: number) =>
  async ({ workers, spans }: Subject): Promise<number> => {
    const { WorkQueue } = await import('../../library.js')
    const { carryAll, stores } = await import('../threads/carried.js')
    if (isCarried) carryAll(kind, count)
    const queue = new WorkQueue(pathToFileURL(threadFile('carried')), {
      maxWorkers: workers,
      minWorkers: workers,
    })
    let run = (): Promise<number> =>
      throughput(inFlight, spans, (index) => queue.run('add', [index, 1]))
    for (const each of stores[kind].slice(0, count)) {
      const inner = run
      run = () => each.run(store, inner)
    }
    return await run()
  }

const measure = (
  name: string,
  kind: Kind,
  count: number,
  isCarried: boolean,
  inFlight = 100,
): Measure =>
  single(name, 'works/s', inside(kind, count, isCarried, inFlight), { limits: [], onlyOurs: true })

export const carried: readonly Measure[] = [
  measure('carried-0', 'immutable', 1, false),
  measure('carried-1-immutable', 'immutable', 1, true),
  measure('carried-1-mutable', 'mutable', 1, true),
  measure('carried-0-of-4', 'immutable', 4, false),
  measure('carried-4-immutable', 'immutable', 4, true),
  measure('carried-4-mutable', 'mutable', 4, true),
  measure('carried-0-in-flight-10000', 'immutable', 1, false, 10_000),
  measure('carried-1-immutable-in-flight-10000', 'immutable', 1, true, 10_000),
]
