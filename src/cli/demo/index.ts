/**
 * The door of `userworker demo`.
 *
 * @module
 */
export { addDemoCommand } from './command.js'
