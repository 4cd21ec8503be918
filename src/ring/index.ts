/** The door of `ring/`: works and results in shared memory. Pure protocol: it knows no threads. */
export { ArgumentArena, Chunks, mostBlockBytes, ResultArena, type Announce } from './arena.js'
export { allocateCompletions, block, Completions, Entry, isBlocked, Reaper } from './completion.js'
export {
  allocateClass,
  coming,
  levels,
  seats,
  Slot,
  slotOf,
  slotsIn,
  viewsOf,
  type ClassMemory,
  type Level,
} from './layout.js'
export {
  contextOf,
  Form,
  formatOf,
  formOf,
  idOf,
  Mark,
  nameBits,
  nameOf,
  readPlace,
  readSmall,
  readSmallOne,
  writeHead,
  writePlace,
  writeSmall,
  writeSmallOne,
} from './payload.js'
export {
  allocateOwner,
  getUp,
  isAsleep,
  lieDown,
  ownerWaits,
  ownerWorks,
  setComing,
  takeSleeper,
  takeWaitingOwner,
} from './sleep.js'
export {
  claim,
  closeChain,
  done,
  fill,
  generationOf,
  hang,
  isTaken,
  Kind,
  kindOf,
  openChain,
  seatOf,
  stateOf,
  tell,
  unhang,
  unlock,
  withdraw,
} from './slot.js'
export { mayHave, Submission, takeNext } from './submission.js'
export { Spin } from './spin.js'
export {
  keep,
  pack,
  read,
  write,
  type Packed,
  type SharedBuffers,
  type SharedBuffersByNumber,
} from './values.js'
