/**
 * What the library gives to a worker's own module, as users import it.
 *
 * @module
 */
type Inside = typeof import('../../dist/worker/inside.js')

const packed = new URL('../../dist/packed/self.js', import.meta.url)

export const { loop } = (await import(packed.href)) as Inside
export type { Self } from '../../dist/worker/inside.js'
