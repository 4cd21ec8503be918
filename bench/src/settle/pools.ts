/**
 * The pools of the table, by name. A trial loads the one it tries.
 *
 * @module
 */
import type { Adapter } from './row.js'

export const pools: Readonly<Record<string, (isolation: string) => Promise<Adapter>>> = {
  ours: async (isolation) => (await import('./pools/ours.js')).ours(isolation),
  piscina: async () => (await import('./pools/run-pool.js')).piscina,
  tinypool: async () => (await import('./pools/run-pool.js')).tinypool,
  workerpool: async () => (await import('./pools/workerpool.js')).workerpool,
  poolifier: async () => (await import('./pools/poolifier.js')).poolifier,
}
