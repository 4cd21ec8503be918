/** The door of `devices/blk/`: a disk. */
export { countsOf, setCapacity, sharedState, type DiskCounts } from './shared-state.js'
