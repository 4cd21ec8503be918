/** The door of `tests/sim/queue/`: the world of `WorkQueue`. */
export { tryMutants } from './mutants.js'
export { queue } from './queue.js'
