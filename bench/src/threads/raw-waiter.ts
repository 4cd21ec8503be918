/** A bare thread that sleeps in `Atomics.wait`, and is woken by a ring. */
import { parentPort, workerData } from 'node:worker_threads'
import { Bell } from '../bell.js'

const bell = new Bell(workerData as SharedArrayBuffer)
const parked = (): void => parentPort?.postMessage('parked')

parentPort?.postMessage('ready')
for (;;) {
  const seen = bell.rings
  bell.hit()
  if (bell.isParking()) bell.park(parked)
  else bell.sleep(seen)
}
