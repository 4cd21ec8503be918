/**
 * What the adapters have in common.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import type { Handle, Opening, RunOptions } from '../row.js'

/** The file that workers load: a pool's own one, or one of those that no pool can load. */
export function threadFile({ module = 'handlers' }: Opening, own: string): string {
  const name = module === 'handlers' ? own : module
  return fileURLToPath(new URL(`../threads/${name}.js`, import.meta.url))
}

/**
 * A work of a pool that is cancelled by signals alone. A time-out is a signal too, as in Node's own
 * functions. No signal is passed where none is asked for: piscina and tinypool give works with one a
 * thread of their own.
 */
export function handleBySignal(
  { signal, timeoutMs }: RunOptions,
  run: (signal: AbortSignal | undefined) => PromiseLike<unknown>,
): Handle {
  const used = timeoutMs === undefined ? signal : AbortSignal.timeout(timeoutMs)
  return { result: begun(() => run(used)) }
}

/** A throw at once is a rejection; and one that nobody waits for yet is no crash. */
export function begun(run: () => PromiseLike<unknown>): Promise<unknown> {
  // oxlint-disable-next-line typescript/promise-function-async
  const result = new Promise((resolve) => resolve(run()))
  result.catch(() => {})
  return result
}
