/** The door of `carry/`: what of a caller's context goes along with its works. */
export { carry, type AsyncStore, type Carrier, type StoreOptions } from './carriers.js'
export { captureApart, Contexts, notCarried, type Carried, type Found } from './contexts.js'
export { outside } from './scopes.js'
export { warnOfCarrier } from './warning.js'
export type { Registered } from './registered.js'
export { Restorer, runWithin, type Step } from './restorer.js'
