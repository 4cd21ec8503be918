/**
 * What each simulated thread runs: the library's side of it, and the handlers.
 *
 * @module
 */
import { bundleModule } from '../../../../src/worker/index.js'
// What a thread does is its effect: it exports nothing.
// oxlint-disable-next-line import/no-unassigned-import
import '../../../../src/worker/entry.js'
import * as serve from '../../../../src/wq/entry.js'
import { bundledServe } from '../../../../src/wq/index.js'
import * as handlers from './handlers.js'
import { handlersUrl } from './simulated.js'

bundleModule(bundledServe, serve)
bundleModule(handlersUrl, handlers)
