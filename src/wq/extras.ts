/**
 * What a work has that few works have: a work without any of it carries nothing of this.
 *
 * @module
 */
import { AsyncResource } from 'node:async_hooks'
import { Pending } from '../os/pending.js'
import { tellApart } from '../worker/index.js'
import type { WorkOptions } from './options.js'
import type { Extras, QueuedWork } from './work.js'

/** Extras of a work that somebody waits for, and that had none. */
export function plainExtras(): Extras {
  const [timeoutMs, killAfterMs, onItem, onProgress] = [0, null, null, null]
  return { timeoutMs, killAfterMs, concurrent: true, onItem, onProgress, ...fresh() }
}

/** Resolves when all of these works are settled, however they end. */
export async function whenSettled(works: readonly QueuedWork[], what: string): Promise<void> {
  let left = works.length
  if (left === 0) return
  const pending = new Pending<void>(what)
  for (const work of works) {
    work.extras ??= plainExtras()
    work.extras.onSettled.push(() => {
      if (--left === 0) pending.resolve()
    })
  }
  await pending.promise
}

/** The extras that a work's options ask for; null: none. */
export function extrasOf(options: WorkOptions, onItem: Extras['onItem']): Extras | null {
  const { timeoutMs = 0, killAfterMs = null, concurrent = true, onProgress = null, after } = options
  const isPlain = timeoutMs === 0 && killAfterMs === null && concurrent && onProgress === null
  if (isPlain && after === undefined && onItem === null) return null
  const told = onProgress === null ? null : AsyncResource.bind(onProgress)
  return { timeoutMs, killAfterMs, concurrent, onItem, onProgress: told, ...fresh() }
}

/** Passes on what the handler has told of a work, in order. */
export function hear(extras: Extras, kind: 'progress' | 'item', value: unknown): void {
  if (kind === 'item') extras.onItem?.(value)
  else tellApart(() => extras.onProgress?.(value))
}

function fresh(): Pick<Extras, 'onSettled' | 'hasDependents' | 'told'> {
  return { onSettled: [], hasDependents: false, told: null }
}
