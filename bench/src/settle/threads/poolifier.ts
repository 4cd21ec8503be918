/** The module of poolifier's workers. */
import { loadPackage } from '../../dispatch/packages.js'
import * as handlers from './handlers.js'

interface PoolifierPackage {
  readonly ThreadWorker: new (handlers: object) => unknown
}

const { ThreadWorker } = await loadPackage<PoolifierPackage>('poolifier')
export default new ThreadWorker({ ...handlers })
