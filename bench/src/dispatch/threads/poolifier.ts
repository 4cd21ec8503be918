/** The module of poolifier's workers. */
import { loadPackage } from '../packages.js'
import * as works from './works.js'

interface PoolifierPackage {
  readonly ThreadWorker: new (handlers: object) => unknown
}

const { ThreadWorker } = await loadPackage<PoolifierPackage>('poolifier')
export default new ThreadWorker({
  ...works,
  add: ({ a, b }: { a: number; b: number }): number => a + b,
})
