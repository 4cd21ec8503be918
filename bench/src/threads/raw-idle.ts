/** A bare thread that says when its module is loaded, and exits at a message. */
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', () => process.exit(0))
parentPort?.postMessage('ready')
