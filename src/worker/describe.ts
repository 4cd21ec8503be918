/**
 * What can be seen of a worker from outside, whatever it is doing.
 *
 * @module
 */
import { UserWorkerError, type Stuck } from '../errors.js'
import { affinityOf } from '../os/limits.js'
import { sampleThread, type ThreadSample } from '../os/proc.js'
import { standingOf } from '../os/standing.js'
import { controlOf } from './control.js'
import { workersOf } from './freeze.js'
import type { Life } from './life.js'
import type { Link } from './link.js'
import { idOf, joinsOf, makerIdOf, nameOfThread, osThreadOf, waitOf, whereOf } from './seen.js'
import { Flag, hasFlag, isExited, stateName, type StateName } from './state.js'
import type { Wait } from './table.js'

/** A worker, described for people and for logs. */
export interface WorkerDescription {
  readonly id: number
  readonly name: string
  /** The worker that made it; null for one made by the main thread or a plain `Worker`. */
  readonly parentId: number | null
  readonly osThreadId: number | null
  readonly state: StateName
  readonly entered: boolean
  readonly stopRequested: boolean
  /** Whether its thread was made for it, or was booted before. */
  readonly madeFrom: 'thread' | 'spare'
  /** What it waits for, of the things the library knows; `nothing` while its own code runs. */
  readonly waitsFor: Wait
  /** The numbers of the workers whose end it waits for. */
  readonly joins: readonly number[]
  /** What the system says of its thread; null once it is gone, and where the system does not tell. */
  readonly thread: {
    readonly state: ThreadSample['state']
    /** Where it stands, in words. */
    readonly where: string
    /** CPU time used, in milliseconds. */
    readonly cpuMs: number
    readonly nice: number
    /** The CPUs it may run on. */
    readonly cpus: readonly number[] | null
  } | null
  readonly exitCode: number | null
}

/** Describes a worker as it is now. */
export function describeWorker({
  id,
  name,
  link,
  madeFrom,
  end,
  control,
  osThreadId,
}: Life): WorkerDescription {
  const { words, row } = link
  const alive = end === null
  return {
    id,
    name,
    parentId: alive ? makerIdOf(words, row) : null,
    osThreadId,
    state: alive ? stateName(control) : 'exited',
    entered: hasFlag(control, Flag.ENTERED),
    stopRequested: hasFlag(control, Flag.STOP),
    madeFrom,
    waitsFor: alive ? waitOf(words, row) : 'nothing',
    joins: alive ? joinsOf(words, row) : [],
    thread: alive && osThreadId !== null ? threadOf(osThreadId) : null,
    exitCode: end?.code ?? null,
  }
}

/** The error for a `stop` whose deadline has passed: names whoever it really waits for. */
export function stuckError(link: Link, name: string, deadlineMs: number): UserWorkerError {
  const stuck = stuckBelow(link, name)
  const what = stuck.map(
    (each) => `'${each.name}' (thread ${each.osThreadId ?? '?'}) ${each.where}`,
  )
  return new UserWorkerError(
    'ETIME',
    `Worker '${name}' has not stopped within ${deadlineMs} ms: ${what.join('; ')}`,
    { stuck },
  )
}

/**
 * The workers that a stop of this one waits for: itself, and those below it that were told to stop
 * as well; without those that in turn only wait for another of them.
 */
function stuckBelow({ words, row }: Link, name: string): Stuck[] {
  const stopping = workersOf(words, row).filter((each) => {
    const word = controlOf(words, each)
    return hasFlag(word, Flag.STOP) && !isExited(word)
  })
  const ids = new Set(stopping.map((each) => idOf(words, each)))
  const last = stopping.filter((each) => !joinsOf(words, each).some((id) => ids.has(id)))
  return (last.length > 0 ? last : [row]).map((each) => {
    const osThreadId = osThreadOf(words, each)
    const own = each === row ? name : nameOfThread(osThreadId)
    return { name: own, osThreadId, where: whereOf(words, each) }
  })
}

function threadOf(tid: number): WorkerDescription['thread'] {
  const sample = sampleThread(tid)
  if (sample === null) return null
  const { state, cpuMs, nice } = sample
  return { state, where: standingOf(tid) ?? state, cpuMs, nice, cpus: affinityOf(tid) }
}
