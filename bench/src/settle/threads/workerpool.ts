/** The module of workerpool's workers. */
import { loadPackage } from '../../dispatch/packages.js'
import * as handlers from './handlers.js'

interface WorkerpoolPackage {
  worker(handlers: object): void
}

const { default: workerpool } = await loadPackage<{ default: WorkerpoolPackage }>('workerpool')
workerpool.worker({ ...handlers })
