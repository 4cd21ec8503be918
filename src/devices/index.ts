/** The door of `devices/`: devices that are ready to be served. */
export {
  serveDisk,
  ServedDisk,
  type DiskStats,
  type FaultOperation,
  type FaultRule,
  type ServeDiskOptions,
} from './blk/index.js'
