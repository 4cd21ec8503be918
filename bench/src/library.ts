/**
 * The library under measurement, as users import it.
 *
 * @module
 */
type Library = typeof import('../../dist/index.js')

const packed = new URL('../../dist/packed/index.js', import.meta.url)

export const library = (await import(packed.href)) as Library
export const { UserWorker, WorkQueue } = library
