/**
 * What can be seen of a worker by its row alone, whoever made it.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { sampleThread, threadNamePrefix } from '../os/proc.js'
import { standingOf } from '../os/standing.js'
import { controlOf } from './control.js'
import type { Laggard } from './freeze.js'
import { stateName, type StateName } from './state.js'
import { at, Field, isWorker, joinSlots, lineOf, waits, type Wait } from './table.js'

/** A worker below an owner. */
export interface OwnedWorker {
  /** Its number in this process. */
  readonly id: number
  /** As the system shows it: cut to 12 bytes for workers that another thread has made. */
  readonly name: string
  /** The worker whose thread made it; null for the main thread, or a plain `Worker`. */
  readonly parentId: number | null
  readonly osThreadId: number | null
  readonly state: StateName
}

/** A worker, as its row shows it. */
export function ownedWorker(words: Words, row: number, name: string | undefined): OwnedWorker {
  const tid = osThreadOf(words, row)
  return {
    id: idOf(words, row),
    name: name ?? nameOfThread(tid),
    parentId: makerIdOf(words, row),
    osThreadId: tid,
    state: stateName(controlOf(words, row)),
  }
}

/** A worker that does not stand still. */
export function laggardOf(words: Words, row: number, name: string | undefined): Laggard {
  const osThreadId = osThreadOf(words, row)
  return { name: name ?? nameOfThread(osThreadId), osThreadId, where: whereOf(words, row) }
}

/** The number of the nearest worker above a row, in whose thread it was made. */
export function makerIdOf(words: Words, row: number): number | null {
  const maker = lineOf(words, row).find((each) => each !== row && each > 0 && isWorker(words, each))
  return maker === undefined ? null : idOf(words, maker)
}

/** What a worker does, or waits for, in words. */
export function whereOf(words: Words, row: number): string {
  const wait = waitOf(words, row)
  if (wait !== 'nothing') return `waits for ${wait}`
  const tid = osThreadOf(words, row)
  return (tid === null ? null : standingOf(tid)) ?? 'is not seen by the system'
}

/** What a worker waits for, of the things the library knows. */
export function waitOf(words: Words, row: number): Wait {
  return waits[memory.load(words, at(row, Field.WAITING))] ?? 'nothing'
}

/** The numbers of the workers whose end a worker waits for. */
export function joinsOf(words: Words, row: number): number[] {
  return Array.from({ length: joinSlots }, (_, slot) =>
    memory.load(words, at(row, Field.JOINS + slot)),
  ).filter((id) => id !== 0)
}

/** A worker's number. */
export function idOf(words: Words, row: number): number {
  return memory.load(words, at(row, Field.ID))
}

/** The thread's id in the system, once the thread has told it. */
export function osThreadOf(words: Words, row: number): number | null {
  return memory.load(words, at(row, Field.OS_THREAD)) || null
}

/** What the system calls a thread of ours. */
export function nameOfThread(tid: number | null): string {
  const sample = tid === null ? null : sampleThread(tid)
  return sample?.name.slice(threadNamePrefix.length) ?? '?'
}
