/**
 * The module of a vhost worker that goes on after the kill of an owner above, until it is stopped (VH-25).
 *
 * @module
 */
import type { Loop } from '../../worker/thread-side.js'
import type { Birth } from './commands.js'
import { serveVrings } from './inside.js'

const run: Loop<Birth> = serveVrings('linger')

export default run
