/** The module of workerpool's workers. */
import { loadPackage } from '../packages.js'
import * as works from './works.js'

interface WorkerpoolPackage {
  worker(handlers: object): void
}

const { default: workerpool } = await loadPackage<{ default: WorkerpoolPackage }>('workerpool')
workerpool.worker({ ...works, add: (a: number, b: number): number => a + b })
