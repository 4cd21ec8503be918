/**
 * The library under measurement, as users import it.
 *
 * @module
 */
type Library = typeof import('../../dist/index.js')

const packed = new URL('../../dist/packed/index.js', import.meta.url)

export type { WorkQueueOptions } from '../../dist/index.js'

export const { Owner, UserWorker, WorkQueue } = (await import(packed.href)) as Library
