/**
 * What a pool looks like to a measure: each side has an adapter that adds as little as it can.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'

/** The handlers of one argument that every side's module has, beside `add`. */
export type Handler = 'echo' | 'wait' | 'read' | 'busy' | 'block' | 'beats'

/** How a work is to be run. */
export interface RunOptions {
  readonly signal?: AbortSignal
  /** For sides that {@link Pool.hasKeys}. */
  readonly key?: unknown
}

export interface Pool {
  /** Whether works with the same key are kept in order by the pool itself. */
  readonly hasKeys: boolean
  /** The tiny work. Sides take two arguments in the way their documentation shows. */
  add(a: number, b: number, options?: RunOptions): PromiseLike<unknown>
  run(name: Handler, value: unknown): PromiseLike<unknown>
  /** How many workers there are now. */
  workers(): number
}

export interface Opening {
  readonly workers: number
  /** The works await timers or files: those of one thread may overlap, where a pool can do that. */
  readonly overlapping: boolean
}

/** Imports the side's package and makes its pool. */
export type Open = (opening: Opening) => Promise<Pool>

/** The file that the side's workers load. */
export function threadFile(name: string): string {
  return fileURLToPath(new URL(`../threads/${name}.js`, import.meta.url))
}
