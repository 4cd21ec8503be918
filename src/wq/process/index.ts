/** The door of `process/`: handlers that run in a child process of their worker's thread. */
export { checkIsolation, limitChild } from './options.js'
export { passerOf } from './passing.js'
export { ChildProcess } from './relay.js'
export { refusalToCarry } from './refusal.js'
export { notCarried, whatIsShared } from './values.js'
