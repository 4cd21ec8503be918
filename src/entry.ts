/**
 * `userworker/entry`: what the library's threads run, in one module, for bundlers.
 *
 * A bundle leaves the library's own files behind. So let the bundler make a second file of this
 * module, and give its place as the option `entry` of each queue and worker.
 *
 * @module
 */
import { bundleModule } from './worker/index.js'
// What a thread does is its effect: it exports nothing.
// oxlint-disable-next-line import/no-unassigned-import
import './worker/entry.js'
import * as serve from './wq/entry.js'
import { bundledServe } from './wq/index.js'

// In time: the thread learns who it is to be by a message, after all modules are loaded.
bundleModule(bundledServe, serve)
