/**
 * What many seeds of a world came to, together.
 *
 * @module
 */
import type { Outcome, World } from './world.js'

/** With fewer seeds than this a fault or an edge may be missing by chance. */
const enoughSeeds = 500
const fewestOperations = 200
/** Each kind of fault happens in this share of the seeds at least. */
const leastShare = 0.05
/** A simulation that says nothing more often than this is none. */
const mostVoids = 0.01

/** A seed in which something differed from the model. */
export interface Finding {
  readonly seed: number
  readonly divergences: readonly string[]
}

/** The outcomes of a world's seeds. */
export class Census {
  readonly world: World
  seeds = 0
  operations = 0
  fewest = Infinity
  /** Seeds in which the simulation held something up for good. */
  voids = 0
  readonly findings: Finding[] = []
  readonly edges = new Set<string>()
  /** In how many seeds each kind of fault happened. */
  readonly #faults: Map<string, number>
  #digest = 0

  constructor(world: World) {
    this.world = world
    this.#faults = new Map(world.faults.map((kind) => [kind, 0]))
  }

  add(seed: number, outcome: Outcome): void {
    const { operations, faults, edges, divergences, digest, isVoid = false } = outcome
    this.seeds++
    this.operations += operations
    if (isVoid) this.voids++
    this.fewest = Math.min(this.fewest, operations)
    for (const kind of faults.keys()) this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1)
    for (const edge of edges) this.edges.add(edge)
    if (divergences.length > 0) this.findings.push({ seed, divergences })
    for (const character of digest) {
      this.#digest = (Math.imul(this.#digest, 31) + character.charCodeAt(0)) | 0
    }
  }

  /** Of all digests, in their order. */
  get digest(): string {
    return (this.#digest >>> 0).toString(16).padStart(8, '0')
  }

  get divergences(): number {
    return this.findings.reduce((sum, { divergences }) => sum + divergences.length, 0)
  }

  /** The share of seeds in which each kind of fault happened. */
  get faults(): Record<string, number> {
    return Object.fromEntries([...this.#faults].map(([kind, count]) => [kind, count / this.seeds]))
  }

  get unreached(): string[] {
    return this.world.edges.filter((edge) => !this.edges.has(edge))
  }

  /** Edges that were taken, and that the world does not know. */
  get unknown(): string[] {
    const known = new Set([...this.world.edges, ...this.world.rare])
    return [...this.edges].filter((edge) => !known.has(edge))
  }

  /** What is wrong with all this, in one sentence for each. */
  get faulty(): string[] {
    const wrong = this.findings.map(({ seed }) => `seed ${seed} differs from the model`)
    if (this.seeds < enoughSeeds) return wrong
    for (const [kind, share] of Object.entries(this.faults)) {
      if (share < leastShare) wrong.push(`'${kind}' happened in too few seeds`)
    }
    for (const edge of this.unreached) wrong.push(`'${edge}' was not reached`)
    for (const edge of this.unknown) wrong.push(`'${edge}' was reached, and is in no table`)
    if (this.voids > mostVoids * this.seeds) wrong.push(`${this.voids} seeds say nothing`)
    if (this.fewest < fewestOperations) wrong.push(`a seed has ${this.fewest} operations`)
    return wrong
  }
}
