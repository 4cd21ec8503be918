/** The module of workers whose works carry something. */
import { AsyncLocalStorage } from 'node:async_hooks'

export { add } from './ours.js'

type Light = typeof import('../../../../dist/wq/current.js')

/** As users import it, and without the whole library. */
const light = new URL('../../../../dist/packed/current.js', import.meta.url)
const { carry } = (await import(light.href)) as Light

const most = 4

/** Those of which so many are carried, and whether nobody changes what is in them. */
export const stores: Readonly<
  Record<'immutable' | 'mutable', readonly AsyncLocalStorage<object>[]>
> = { immutable: storesOf(), mutable: storesOf() }

function storesOf(): readonly AsyncLocalStorage<object>[] {
  return Array.from({ length: most }, () => new AsyncLocalStorage<object>())
}

/** Registers so many of each kind in this thread. */
export function carryAll(kind: 'immutable' | 'mutable', count: number): void {
  for (const [index, store] of stores[kind].slice(0, count).entries()) {
    carry(`${kind} ${index}`, store, { immutable: kind === 'immutable' })
  }
}

/** In the worker, which has all of them. */
export function setup(): void {
  carryAll('immutable', most)
  carryAll('mutable', most)
}
