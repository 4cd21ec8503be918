/**
 * Ways in which the library may be broken: a simulation that does not notice them simulates nothing.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { root } from '../root.js'
import type { World } from './world.js'

/** Puts other text in the place of some of a source. */
export interface Change {
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface Mutant extends Change {
  readonly breaks: string
  /** One that noticed it, which is tried before all others. */
  readonly seed: number
}

/** Packs the sources with a change; null: as they are. */
export function changing(change: Change | null): Plugin {
  return {
    name: 'change',
    setup(packing) {
      if (change === null) return
      const { file, from, to } = change
      packing.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== join(root, file)) return null
        const text = readFileSync(path, 'utf8')
        if (!text.includes(from)) throw new Error(`${file} has nothing of this any more: ${from}`)
        return { contents: text.replace(from, () => to), loader: 'ts' }
      })
    },
  }
}

/** A seed in which a world is seen to be broken: this one, or the first of those up to `most`; null: in none. */
export async function noticedBy(world: World, first: number, most: number): Promise<number | null> {
  const others = Array.from({ length: most }, (_, index) => index + 1)
  for (const seed of [first, ...others]) {
    if ((await world.run(seed)).divergences.length > 0) return seed
  }
  return null
}
