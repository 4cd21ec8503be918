/**
 * From nothing to a thread that is ready, and from a booted spare to a worker.
 *
 * @module
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { microseconds, nanoseconds, pause } from '../clock.js'
import { UserWorker } from '../library.js'
import type { Measure, Samples } from '../measure.js'
import { first, startRaw, thread } from '../raw.js'

/** The first threads of a process also load code and fill caches: they are made and not counted. */
const warmUps = 2

async function ready(count: number): Promise<Samples> {
  const samples: number[] = []
  for (let index = -warmUps; index < count; index++) {
    const begun = nanoseconds()
    const worker = await UserWorker.create(thread('idle'))
    if (index >= 0) samples.push(microseconds(begun))
    await worker.stop()
  }
  return { ready: samples }
}

async function rawReady(count: number): Promise<Samples> {
  const samples: number[] = []
  for (let index = -warmUps; index < count; index++) {
    const begun = nanoseconds()
    const worker = await startRaw('raw-idle')
    if (index >= 0) samples.push(microseconds(begun))
    await worker.terminate()
  }
  return { ready: samples }
}

async function rawOnline(count: number): Promise<Samples> {
  const samples: number[] = []
  for (let index = -warmUps; index < count; index++) {
    const begun = nanoseconds()
    const worker = new Worker(thread('raw-idle'))
    await first(worker, 'online')
    if (index >= 0) samples.push(microseconds(begun))
    await worker.terminate()
  }
  return { online: samples }
}

export const create: Measure = {
  name: 'create',
  count: 15,
  quickCount: 1,
  sides: { ours: { sample: ready }, raw: { sample: rawReady } },
  rows: [{ name: 'create-ready', unit: 'ms', ours: 'ours.ready', raw: 'raw.ready' }],
}

/** A new spare boots while its forerunner is at work: it is waited for, and then some more. */
const quietMs = 20

/** A name that no thread bears is looked for so long. */
const patienceMs = 10_000

async function adopt(count: number): Promise<Samples> {
  const samples = { identity: [] as number[], resolved: [] as number[], entered: [] as number[] }
  for (let index = -warmUps; index < count; index++) {
    await UserWorker.spares(1)
    await pause(quietMs)
    const name = `adopted-${index + warmUps}`
    using names = new ThreadNames()
    const begun = nanoseconds()
    const creating = UserWorker.create(thread('idle'), { name })
    const identity = names.timeOf(`uw:${name}`)
    const worker = await creating
    const resolved = microseconds(begun)
    await worker.start()
    const entered = microseconds(begun)
    if (index >= 0) {
      samples.identity.push(microseconds(begun, await identity))
      samples.resolved.push(resolved)
      samples.entered.push(entered)
    }
    await worker.stop()
  }
  return samples
}

/**
 * The names that the threads of this process bear, as `ps -T` shows them. The files are opened
 * beforehand, so that a look at one costs a microsecond or two.
 */
class ThreadNames {
  /** The youngest first: the spare is among them. */
  readonly #files = readdirSync('/proc/self/task')
    .map(Number)
    .sort((a, b) => b - a)
    .map((tid) => openSync(`/proc/self/task/${tid}/comm`, 'r'))
  readonly #buffer = Buffer.alloc(16)

  /** When a thread was first seen to bear a name: now at the earliest, then at turns of the loop. */
  async timeOf(name: string): Promise<bigint> {
    const begun = nanoseconds()
    for (;;) {
      for (const file of this.#files) {
        const length = readSync(file, this.#buffer, 0, this.#buffer.length, 0)
        if (this.#buffer.toString('utf8', 0, length).trimEnd() === name) return nanoseconds()
      }
      if (microseconds(begun) > patienceMs * 1000) throw new Error(`no thread is named ${name}`)
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
  }

  [Symbol.dispose](): void {
    for (const file of this.#files) closeSync(file)
  }
}

export const adoption: Measure = {
  name: 'spares',
  count: 10,
  quickCount: 1,
  sides: { ours: { sample: adopt }, raw: { sample: rawOnline } },
  rows: [
    { name: 'spare-identity', unit: 'ms', ours: 'ours.identity', raw: 'raw.online' },
    { name: 'spare-resolved', unit: 'ms', ours: 'ours.resolved', raw: 'raw.online' },
    { name: 'spare-entered', unit: 'ms', ours: 'ours.entered', raw: 'raw.online' },
  ],
}
