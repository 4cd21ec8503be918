/** A bare thread that sleeps in its event loop, and is woken by a message. */
import { parentPort, workerData } from 'node:worker_threads'
import { Bell } from '../bell.js'

const bell = new Bell(workerData as SharedArrayBuffer)

parentPort?.on('message', () => bell.hit())
parentPort?.postMessage('ready')
