/** A bare thread that computes without ever waiting, and looks whether it is to park. */
import { parentPort, workerData } from 'node:worker_threads'
import { Bell } from '../bell.js'

const bell = new Bell(workerData as SharedArrayBuffer)
const parked = (): void => parentPort?.postMessage('parked')

parentPort?.postMessage('ready')
for (;;) bell.park(parked)
