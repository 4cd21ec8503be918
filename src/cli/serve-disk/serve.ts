/**
 * The library's own service of disks, loaded when it is asked for: it needs native code.
 *
 * @module
 */
import type { ServeDisk } from './disk.js'

export const serveDisk: ServeDisk = async () => {
  throw new Error('not there yet')
}
