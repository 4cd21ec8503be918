/**
 * What a program may do with queues and owners, by chance.
 *
 * @module
 */
import { setTimeout } from 'node:timers'
import type { FreezeReport, Owner, WorkQueue } from '../../../../src/index.js'
import { ask } from './asking.js'
import { among, once, watch, type Scene, type Stage } from './scene.js'
import type { SimulatedProgram } from './simulated.js'

declare const simulated: SimulatedProgram

const { below, ledger } = simulated

/** What is frozen, and by what it is let go. */
const frozen = new Map<WorkQueue | Owner, () => void>()

function cancelOne(stage: Stage): void {
  const held = stage.works[stage.works.length - 1 - below(Math.min(30, stage.works.length))]
  if (held === undefined) return
  const { entry, work } = held
  const outcome = work.cancel()
  ledger.tell(() => `cancel of work ${entry.id}: ${outcome}`)
  if (outcome === 'not-found') {
    if (work.state === 'pending' || work.state === 'running') {
      ledger.diverge(`work ${entry.id} was not found, and is ${work.state}`)
    }
    return
  }
  if (outcome === 'canceled' && entry.run !== null) {
    ledger.diverge(`work ${entry.id} was cancelled, and had begun`)
  }
  entry.canceled = outcome
  simulated.fault(outcome === 'canceled' ? 'a waiting work is cancelled' : 'a running work is told')
}

function cancelSeveral(stage: Stage): void {
  const key = among('a', 'b', undefined)
  const isMeant = (work: { key: unknown }): boolean => work.key === key && !once(3)
  const { outcome } = stage.queue.cancel(
    (work) => {
      const is = isMeant(work)
      const entry = stage.works.find((each) => each.work === work)?.entry
      if (is && entry !== undefined) entry.canceled ??= 'running'
      return is
    },
    { all: true },
  )
  ledger.tell(() => `cancel of key ${String(key)}: ${outcome}`)
}

function abortOne(stage: Stage): void {
  const open = stage.works.filter(({ entry, abort }) => entry.outcome === null && abort !== null)
  const chosen = open[below(open.length)]
  if (chosen === undefined) return
  simulated.fault('a signal is aborted')
  chosen.entry.isAborted = true
  chosen.entry.canceled ??= 'running'
  ledger.tell(() => `abort of work ${chosen.entry.id}`)
  chosen.abort?.abort(new Error('not wanted'))
}

/** Whose threads stand, once a freeze has said so. */
function stand(stages: readonly Stage[], do_: boolean): void {
  for (const { name, isClosing } of stages) ledger.factsOf(name).stands = do_ && !isClosing
}

function freeze(scene: Scene, what: WorkQueue | Owner, stages: readonly Stage[]): void {
  if (frozen.has(what)) return
  simulated.interruptible(false)
  const thaw = (): void => {
    if (frozen.get(what) !== thaw) return
    frozen.delete(what)
    stand(scene.stages, false)
    what.thaw()
    ledger.tell(() => `thaw of ${what.name}`)
    simulated.interruptible(frozen.size === 0)
  }
  frozen.set(what, thaw)
  const at = among('work', 'anywhere')
  const freezing = what.freeze({ at, deadlineMs: among(20, 5000) })
  const stands = ({ laggards }: FreezeReport): void => {
    if (laggards.length === 0 && frozen.get(what) === thaw) stand(stages, true)
  }
  watch(scene, `freeze of ${what.name} at ${at}`, freezing.then(stands))
  setTimeout(thaw, below(among(10, 400)))
}

/** Lets everything go on. */
export function thawAll(): void {
  for (const thaw of frozen.values()) thaw()
}

export function close(scene: Scene, stage: Stage): void {
  stage.isClosing = true
  const facts = ledger.factsOf(stage.name)
  facts.isClosing = true
  facts.stands = false
  if (stage.queue.stats().unsettled > 0) simulated.fault('a queue with works is closed')
  watch(scene, `close of ${stage.name}`, stage.queue.close())
}

function killTenant({ tenant, stages }: Scene): void {
  if (tenant === null || !once(12)) return
  simulated.fault('an owner is killed')
  for (const stage of stages) {
    if (stage.owner !== tenant) continue
    stage.isClosing = true
    const facts = ledger.factsOf(stage.name)
    facts.isOwnerKilled = true
    facts.stands = false
  }
  tenant.kill(new Error('killed'))
}

function limitTenant({ tenant }: Scene): void {
  if (tenant === null || tenant.state === 'killed' || tenant.state === 'stopped') return
  simulated.fault("an owner's limit is changed")
  tenant.setLimits({ workers: 1 + below(5) })
}

function changeMax(stage: Stage): void {
  const max = { bounded: 1 + below(4), unbounded: 1 + below(3) }
  stage.max.bounded = Math.max(stage.max.bounded, max.bounded)
  stage.max.unbounded = Math.max(stage.max.unbounded, max.unbounded)
  stage.queue.setMaxWorkers(max)
}

type Operation = (scene: Scene, stage: Stage) => void

/** Each with how often it is chosen. */
const operations: readonly (readonly [number, string, Operation])[] = [
  [120, 'a work', ask],
  [
    20,
    'works',
    (scene, stage) => {
      for (let count = 2 + below(8); count > 0; count--) ask(scene, stage)
    },
  ],
  [16, 'cancel', (_, stage) => cancelOne(stage)],
  [4, 'cancel of several', (_, stage) => cancelSeveral(stage)],
  [10, 'abort', (_, stage) => abortOne(stage)],
  [3, 'flush', (scene, { name, queue }) => watch(scene, `flush of ${name}`, queue.flush())],
  [3, 'flush of a key', (scene, { queue }) => watch(scene, 'flush', queue.flush({ key: 'a' }))],
  [3, 'drain', (scene, { name, queue }) => watch(scene, `drain of ${name}`, queue.drain())],
  [
    2,
    'broadcast',
    (scene, { name, queue }) => watch(scene, `broadcast of ${name}`, queue.broadcast('count')),
  ],
  [3, 'setMaxWorkers', (_, stage) => changeMax(stage)],
  [2, 'ready', (scene, { name, queue }) => watch(scene, `ready of ${name}`, queue.ready())],
  [4, 'freeze', (scene, stage) => freezeQueue(scene, stage)],
  [3, 'freeze of the owner', (scene) => freezeTenant(scene)],
  [3, 'limit of the owner', (scene) => limitTenant(scene)],
  [2, 'kill of the owner', (scene) => killTenant(scene)],
  [
    1,
    'close',
    (scene, stage) => {
      if (scene.stages.length > 1 && once(3)) close(scene, stage)
    },
  ],
]

function freezeQueue(scene: Scene, stage: Stage): void {
  if (stage.isClosing) return
  simulated.fault('a queue is frozen')
  freeze(scene, stage.queue, [stage])
}

function freezeTenant(scene: Scene): void {
  const { tenant, stages } = scene
  if (tenant === null || tenant.state !== 'running') return
  simulated.fault('an owner is frozen')
  freeze(
    scene,
    tenant,
    stages.filter(({ owner }) => owner === tenant),
  )
}

const total = operations.reduce((sum, [weight]) => sum + weight, 0)

/** Does one thing. */
export function operate(scene: Scene): void {
  let left = below(total)
  for (const [weight, name, run] of operations) {
    left -= weight
    if (left >= 0) continue
    const stage = among(...scene.stages)
    simulated.operation(() => `${name}, ${stage.name}`)
    return run(scene, stage)
  }
}
