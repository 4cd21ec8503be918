/**
 * The program of a seed: some hundred operations, then the end of everything.
 *
 * @module
 */
import { setTimeout } from 'node:timers'
import { Owner } from '../../../../src/index.js'
import { pendingPromises } from '../../../../src/os/pending.js'
import { claimedRows, table } from '../../../../src/worker/table.js'
import { Server } from '../../../../src/wq/server.js'
import { close, operate, thawAll } from './operations.js'
export { edgesOf } from './seen.js'
import { among, makeScene, once, watch, type Scene } from './scene.js'
import type { SimulatedProgram } from './simulated.js'

declare const simulated: SimulatedProgram

const { below, ledger } = simulated

const fewestOperations = 200

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

/** The program's course. @returns what it still waits for, at any time */
export function start(done: () => void): () => string[] {
  watchServers()
  const scene = makeScene()
  ledger.peek = {
    stateOf: (id) => {
      const held = scene.stages.flatMap(({ works }) => works).find(({ entry }) => entry.id === id)
      return held === undefined ? null : simulated.observe(() => held.work.state)
    },
    excess: (thread) => simulated.observe(() => excess(scene, thread)),
  }
  void play(scene, done)
  return () => [...scene.open.values()]
}

/** Limits hold at any instant: for workers that are there, one that is made must fit in. */
function excess({ stages, tenant }: Scene, thread: string): string | null {
  const stage = stages.find(({ name }) => thread.startsWith(`${name}-`))
  if (stage === undefined) return null
  const { queue, max, times, owner, name } = stage
  const count = queue.workers().length
  if (count > times * (max.bounded + max.unbounded)) return `${name} has ${count} workers`
  if (tenant === null || owner !== tenant) return null
  const all = tenant.workers().length
  return all > tenant.limits.workers ? `the tenant has ${all} workers` : null
}

async function play(scene: Scene, done: () => void): Promise<void> {
  try {
    await course(scene)
  } catch (error) {
    ledger.diverge(`the program failed: ${String((error as Error).stack)}`)
  }
  done()
}

async function course(scene: Scene): Promise<void> {
  for (let left = fewestOperations + below(80); left > 0; left--) {
    operate(scene)
    if (once(3)) await pause(below(among(2, 20, 20, 300)))
  }
  await end(scene)
}

async function end(scene: Scene): Promise<void> {
  simulated.calm()
  thawAll()
  // Whatever waits comes to its turn by itself, and not by the end of its queue.
  if (once(2)) {
    for (const { name, queue } of scene.stages) watch(scene, `last flush of ${name}`, queue.flush())
    while (scene.open.size > 0) await pause(100)
  }
  for (const stage of scene.stages) close(scene, stage)
  const { tenant } = scene
  if (once(2)) for (const { queue } of scene.stages) await queue.close()
  if (tenant !== null) watch(scene, 'stop of the tenant', tenant.stop())
  for (const stage of scene.stages) {
    const report = await stage.queue.close()
    ledger.tell(() => `${stage.name} is closed; stuck: ${report.stuck.length}`)
    checkStats(stage.name, stage.queue.stats(), stage.works.length)
  }
  watch(scene, 'stop of the program', Owner.current().stop())
  while (scene.open.size > 0) await pause(100)
}

type Stats = ReturnType<Scene['stages'][0]['queue']['stats']>

function checkStats(name: string, stats: Stats, submitted: number): void {
  const { done, failed, canceled, unsettled } = stats
  if (unsettled > 0) ledger.diverge(`${name} has ${unsettled} unsettled works at its end`)
  if (stats.submitted !== submitted || done + failed + canceled !== submitted) {
    ledger.diverge(`${name} counts ${done} + ${failed} + ${canceled} of ${submitted} works`)
  }
}

/** What the library still has when all has ended, and nothing more happens. */
export function leftovers(): string[] {
  const rows = claimedRows(table()).map((row) => `row ${row}`)
  return [...rows, ...pendingPromises()]
}

/** Tells of each change of a server's state. */
function watchServers(): void {
  const states = new WeakMap<Server, string>()
  Object.defineProperty(Server.prototype, 'state', {
    get(this: Server) {
      return states.get(this)
    },
    set(this: Server, state: string) {
      const before = states.get(this)
      states.set(this, state)
      if (before !== state) simulated.edge(`server ${before ?? 'none'} → ${state}`)
    },
  })
}
