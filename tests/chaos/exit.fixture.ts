/**
 * A program that ends, or becomes another one, while each of its workers stands somewhere.
 *
 * Its arguments: where the workers stand, how it ends, and the FIFO that nobody writes to.
 */
import { WorkQueue } from 'userworker'
import type * as Handlers from './handlers.fixture.js'

const [where = '', how = '', fifo = ''] = process.argv.slice(2)
const say = (said: object): void => console.log(JSON.stringify(said))
const queue = new WorkQueue<typeof Handlers>(new URL('./handlers.fixture.js', import.meta.url), {
  name: where,
  maxWorkers: 2,
})
const began = new Int32Array(new SharedArrayBuffer(4))
for (let count = 0; count < 2; count++) {
  queue.run(where as 'openFifo', [began, fifo]).catch(() => {})
}
while (Atomics.load(began, 0) < 2) await new Promise((resolve) => setTimeout(resolve, 5))
for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGHUP'] as const) {
  process.on(signal, () => say({ heard: signal }))
}

type Execve = (file: string, args: readonly string[]) => never
const ends: Record<string, () => void> = {
  abort: () => process.abort(),
  exit: () => process.exit(5),
  execve: () => {
    const { execve } = process as unknown as { execve: Execve }
    const script = 'console.log(JSON.stringify({ became: process.pid }))'
    execve.call(process, process.execPath, [process.execPath, '-e', script])
  },
}
say({ ready: true })
process.stdin.once('data', () => ends[how]?.())
