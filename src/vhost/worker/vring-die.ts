/**
 * The module of a vhost worker that dies with an owner above, in good order (VH-26, VH-27).
 *
 * @module
 */
import type { Loop } from '../../worker/thread-side.js'
import type { Birth } from './commands.js'
import { serveVrings } from './inside.js'

const run: Loop<Birth> = serveVrings('die')

export default run
