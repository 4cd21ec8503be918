/**
 * A program that drains its queues at a signal; the argument says what it has to do, and how.
 */
import { drainOnSignal, WorkQueue } from 'userworker'
import type * as Handlers from './handlers.fixture.js'

const say = (said: object): void => console.log(JSON.stringify(said))
const handlers = new URL('./handlers.fixture.js', import.meta.url)
const word = (): Int32Array => new Int32Array(new SharedArrayBuffer(4))
const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(String, (error: Error & { code?: string }) => error.code ?? error.message)
const queue = new WorkQueue<typeof Handlers>(handlers, { maxWorkers: 2, closeDeadlineMs: 60_000 })
const impatient = new WorkQueue<typeof Handlers>(handlers, { closeDeadlineMs: 400 })

/** A bounded work that runs, one that waits behind it, an unbounded one, and one that comes too late. */
async function works(): Promise<void> {
  const began = word()
  const bounded = [1, 2, 3, 4].map(() => outcome(queue.run('computeFrom', [began, 300])))
  const unbounded = outcome(queue.run('untilTold', [began], { unbounded: true }))
  while (Atomics.load(began, 0) < 3) await new Promise((resolve) => setTimeout(resolve, 5))
  process.once('SIGTERM', () => {
    void outcome(queue.run('compute', [1])).then((late) => say({ late }))
  })
  void Promise.all(bounded).then((ends) => say({ bounded: ends }))
  void unbounded.then((end) => say({ unbounded: end }))
}

async function endless(on: typeof queue): Promise<void> {
  const began = word()
  on.run('spin', [began]).catch(() => {})
  while (Atomics.load(began, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

const programs: Record<string, () => Promise<void>> = {
  async works() {
    drainOnSignal(queue)
    await works()
  },
  async hup() {
    drainOnSignal(queue, { signals: ['SIGHUP'] })
    await works()
  },
  async endless() {
    drainOnSignal([queue, impatient])
    await endless(queue)
  },
  async deadline() {
    drainOnSignal(queue, { deadlineMs: 400 })
    await endless(queue)
  },
  async impatient() {
    drainOnSignal(impatient)
    await endless(impatient)
  },
  async back() {
    drainOnSignal(queue)()
    drainOnSignal(queue)[Symbol.dispose]()
    await works()
  },
  async two() {
    drainOnSignal(impatient)
    drainOnSignal(queue)
    await works()
  },
  async listeners() {
    process.on('SIGTERM', () => say({ heard: 'first' }))
    drainOnSignal(queue)
    process.on('SIGTERM', () => say({ heard: 'last' }))
    await works()
  },
  async quiet() {
    drainOnSignal(queue)
    await queue.run('compute', [1])
    const alive = setInterval(() => {}, 1e6)
    process.on('exit', () => clearInterval(alive))
  },
}
await programs[process.argv[2] ?? '']?.()
say({ ready: process.pid })
