/** The module of poolifier's workers. */
import { loadPeer } from '../pools/pool.js'
import * as works from './works.js'

interface PoolifierPackage {
  readonly ThreadWorker: new (handlers: object) => unknown
}

const { ThreadWorker } = await loadPeer<PoolifierPackage>('poolifier')
export default new ThreadWorker({
  ...works,
  add: ({ a, b }: { a: number; b: number }): number => a + b,
})
