/**
 * What a seed plays with: owners and queues, by chance.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  carry,
  KeySpace,
  Owner,
  UserWorker,
  WorkQueue,
  type Work,
  type WorkQueueOptions,
} from '../../../../src/index.js'
import type { Entry } from '../ledger.js'
import { entryUrl, handlersUrl, type SimulatedProgram } from './simulated.js'

declare const simulated: SimulatedProgram

const { below } = simulated

/** One of these. */
export function among<Choice>(...choices: readonly Choice[]): Choice {
  return choices[below(choices.length)] as Choice
}

export function once(times: number): boolean {
  return below(times) === 0
}

/** A queue, with what the model knows of it. */
export interface Stage {
  readonly name: string
  readonly queue: WorkQueue
  readonly line: string
  readonly limit: number
  readonly owner: Owner | null
  /** The works that have a handle. */
  readonly works: {
    readonly entry: Entry
    readonly work: Work
    readonly abort: AbortController | null
  }[]
  readonly max: { bounded: number; unbounded: number }
  /** How many times that there may be: workers that are due may be replaced before they are gone. */
  readonly times: number
  isClosing: boolean
}

export interface Scene {
  readonly stages: readonly Stage[]
  readonly tenant: Owner | null
  /** Carries what a work's caller has; null: nothing does. */
  readonly store: AsyncLocalStorage<string> | null
  /** Promises that are to settle, by what they are. */
  readonly open: Map<number, string>
}

function queueOptions(): WorkQueueOptions & { maxWorkers: { bounded: number; unbounded: number } } {
  const max = { bounded: 1 + below(4), unbounded: 1 + below(3) }
  return {
    maxWorkers: max,
    minWorkers: once(4) ? 1 : 0,
    concurrency: { bounded: among(1, 1, 1, 2, 3), unbounded: among(1, 2, 4) },
    idleTimeoutMs: among(5, 100, 1000, Infinity),
    onFull: among('reject', 'cancel-oldest'),
    closeDeadlineMs: among(50, 1000, 30_000, 30_000),
    loadDeadlineMs: among(3000, 30_000),
    entry: entryUrl,
    ...(once(4) ? { recycle: { works: 3 + below(20) } } : {}),
    ...(once(8) ? { recycle: { heapMb: 64 } } : {}),
  }
}

function stageOf(index: number, tenant: Owner | null, keySpace: KeySpace | null): Stage {
  const name = `q${index}`
  const options = queueOptions()
  const limit = among(Infinity, Infinity, Infinity, 8, 40)
  const owner = tenant !== null && !once(4) ? tenant : null
  const facts = simulated.ledger.factsOf(name)
  facts.dropsOldest = limit < Infinity && options.onFull === 'cancel-oldest'
  const queue = new WorkQueue(handlersUrl, {
    ...options,
    name,
    ...(limit < Infinity ? { queueLimit: limit } : {}),
    ...(owner === null ? {} : { owner }),
    ...(keySpace === null ? {} : { keySpace }),
  })
  simulated.ledger.tell(() => `${name}: ${JSON.stringify({ ...options, limit })}`)
  const line = keySpace === null ? name : 'all'
  const [max, times] = [options.maxWorkers, options.recycle === undefined ? 1 : 2]
  return { name, queue, line, limit, owner, works: [], max, times, isClosing: false }
}

/** Takes the carrier of the seed before back. */
export function makeScene(): Scene {
  const tenant = once(2) ? new Owner({ name: 'tenant', limits: { workers: 1 + below(6) } }) : null
  const keySpace = once(3) ? new KeySpace() : null
  const stages = [stageOf(1, tenant, keySpace)]
  if (keySpace !== null || once(3)) stages.push(stageOf(2, tenant, keySpace))
  let store: AsyncLocalStorage<string> | null = null
  if (once(2)) {
    store = new AsyncLocalStorage<string>()
    carry('store', store, { immutable: once(2) })
  }
  const open = new Map<number, string>()
  const scene = { stages, tenant, store, open }
  if (once(6)) watch(scene, 'spares', UserWorker.spares(1 + below(2), { entry: entryUrl }))
  return scene
}

let lastWatch = 0

/** Something that is to come to an end, whatever it is. */
export function watch(scene: Scene, what: string, promise: Promise<unknown>): void {
  const number = ++lastWatch
  scene.open.set(number, what)
  const settle = (error: Error | null): void => {
    scene.open.delete(number)
    simulated.ledger.tell(() => `${what} is over${error === null ? '' : `: ${String(error)}`}`)
    if (error === null || isKnown(error)) return
    simulated.ledger.diverge(`${what} failed by ${String(error)}`)
  }
  promise.then(
    () => settle(null),
    (error: unknown) => settle(error as Error),
  )
}

function isKnown(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' && /^(ERR_|E[A-Z]+$)/.test(code) && code !== 'EINVAL'
}
