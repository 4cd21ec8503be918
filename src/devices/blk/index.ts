/** The door of `devices/blk/`: a disk. */
export { type FaultOperation, type FaultRule } from './fault-rules.js'
export { serveDisk, ServedDisk, type DiskStats, type ServeDiskOptions } from './serve-disk.js'
