/**
 * The library under measurement, from its build.
 *
 * @module
 */
export { UserWorker } from '../../dist/index.js'
export { loop, type Self } from '../../dist/worker/inside.js'
