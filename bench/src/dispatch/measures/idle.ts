/**
 * What a pool costs that does nothing, and what still runs in its workers.
 *
 * @module
 */
import { pause } from '../../clock.js'
import { single, type Measure, type Subject } from '../measure.js'
import type { Pool } from '../pools/pool.js'

/** So long that each worker must take one of the works, because the others are blocked. */
const blockMs = 100
/** Spares, timers and collected memory come to rest. */
const settleMs = 500

/** Makes a pool whose workers have all been made, and have all worked. */
async function openIdle({ open, workers }: Subject): Promise<Pool> {
  const pool = await open({ workers, overlapping: false })
  for (let time = 0; time < 2; time++)
    await Promise.all(Array.from({ length: 2 * workers }, () => pool.run('block', blockMs)))
  if (pool.workers() !== workers)
    throw new Error(`it has ${pool.workers()} workers instead of ${workers}`)
  await pause(settleMs)
  return pool
}

async function memory(subject: Subject): Promise<number> {
  await openIdle(subject)
  return process.memoryUsage.rss() / 2 ** 20
}

async function cpu(subject: Subject): Promise<number> {
  await openIdle(subject)
  const [before, usedBefore] = [performance.now(), process.cpuUsage()]
  await pause(subject.spans.idleMs)
  const { user, system } = process.cpuUsage(usedBefore)
  return ((user + system) / 1000 / (performance.now() - before)) * 100
}

/** Beats of an interval of 50 ms, in a second in which the pool has nothing to do: 20 is all. */
async function beats(subject: Subject): Promise<number> {
  const pool = await openIdle(subject)
  const before = Number(await pool.run('beats', null))
  await pause(1000)
  return Number(await pool.run('beats', null)) - before
}

export const idle: readonly Measure[] = [
  single('rss-per-worker', 'MB', memory, { workers: 9, baseWorkers: 1 }),
  single('idle-cpu', '%', cpu, { workers: 8 }),
  single('interval-beats', 'beats/s', beats),
]
