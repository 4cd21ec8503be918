/**
 * What comes of the rounds: medians and ratios.
 *
 * @module
 */
import type { Case, Measure, Unit } from './measure.js'
import { peers, sides, type Limit, type Peer } from './sides.js'

/** What a side gave in each round; null where it gave nothing. */
export type ByRound = readonly (number | null)[]

/** What all sides gave for a case, by their names. */
export type Recorded = ReadonlyMap<string, ByRound>

/** A line of the report. What there is no figure of is null. */
export interface Row {
  case: string
  /** The version of Node. */
  node: string
  workers: number
  unit: Unit
  ours: number | null
  /** For a peer with two settings, the better one of this case. */
  peers: Record<Peer, number | null>
  limits: Record<Limit, number | null>
  bestPeer: Peer | null
  /** Above 1 we are better than the best peer. The median over the rounds. */
  ratio: number | null
  /** How many rounds the ratio is of. */
  rounds: number
  /** The medians of all sides, each setting of a peer by itself. */
  sides: Record<string, number>
  /** Why there is no figure. By side. */
  notes: Record<string, string>
  /** The measuring was a trial. */
  quick: boolean
  /** Where the machine's quiet matters: the same of those rounds in which it was quiet. */
  ratioWhenQuiet?: number | null
  quietRounds?: number
  /** What these are made of, round by round. */
  byRound?: { ours: ByRound; bestPeer: ByRound; spin: ByRound }
}

/** A round trip between two spinning threads takes longer only where one of them is not running. */
const quietSpinUs = 2

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}

/** How much better ours is than theirs. */
export function ratioOf(unit: Unit, ours: number, theirs: number): number {
  return isMoreBetter(unit) ? ours / theirs : theirs / ours
}

const isMoreBetter = (unit: Unit): boolean => unit === 'works/s' || unit === 'beats/s'
const isNumber = (value: number | null | undefined): value is number => typeof value === 'number'

/** The medians of the sides that gave any figure, best first. */
function ranked(unit: Unit, recorded: Recorded): { side: string; value: number }[] {
  return [...recorded]
    .map(([side, byRound]) => ({ side, value: median(byRound.filter(isNumber)) }))
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => (isMoreBetter(unit) ? b.value - a.value : a.value - b.value))
}

/** What the row shows of those whom a side belongs to: the better one of two settings. */
export function rowOf(
  { name, unit }: Case,
  measure: Pick<Measure, 'workers' | 'limits'>,
  recorded: Recorded,
  about: Pick<Row, 'node' | 'quick' | 'notes'>,
): Row {
  const ranking = ranked(unit, recorded)
  const bestOf = (of: string): { side: string; value: number } | undefined =>
    ranking.find(({ side }) => sides.some((each) => each.name === side && each.of === of))
  const valueOf = (of: string): number | null => rounded(bestOf(of)?.value)
  const best = ranking.find(({ side }) =>
    sides.some((each) => each.name === side && peers.some((peer) => peer === each.of)),
  )
  const bestPeer = peers.find((peer) => bestOf(peer)?.side === best?.side) ?? null
  const [ours, theirs, spin] = ['ours', best?.side ?? '', 'spin'].map(
    (side) => recorded.get(side) ?? [],
  ) as [ByRound, ByRound, ByRound]
  const ratios = ratiosOf(unit, ours, theirs)
  const row: Row = {
    case: name,
    node: about.node,
    workers: measure.workers,
    unit,
    ours: valueOf('ours'),
    peers: {
      piscina: valueOf('piscina'),
      tinypool: valueOf('tinypool'),
      workerpool: valueOf('workerpool'),
      poolifier: valueOf('poolifier'),
    },
    limits: { postMessage: valueOf('postMessage'), spin: valueOf('spin') },
    bestPeer: best === undefined ? null : bestPeer,
    ratio: rounded(median(ratios.filter(isNumber))),
    rounds: ratios.filter(isNumber).length,
    sides: Object.fromEntries(ranking.map(({ side, value }) => [side, rounded(value) ?? 0])),
    notes: about.notes,
    quick: about.quick,
  }
  if (!measure.limits.includes('spin')) return row
  const quiet = ratios.filter(
    (ratio, round): ratio is number => isNumber(ratio) && isQuiet(spin[round]),
  )
  return {
    ...row,
    ratioWhenQuiet: rounded(median(quiet)),
    quietRounds: quiet.length,
    byRound: { ours, bestPeer: theirs, spin },
  }
}

const isQuiet = (spin: number | null | undefined): boolean => isNumber(spin) && spin < quietSpinUs

/** By round; null where there is none. */
function ratiosOf(unit: Unit, ours: ByRound, theirs: ByRound): ByRound {
  return ours.map((value, round) => {
    const other = theirs[round]
    if (!isNumber(value) || !isNumber(other)) return null
    const ratio = ratioOf(unit, value, other)
    return Number.isFinite(ratio) ? ratio : null
  })
}

/** Three digits tell more than the noise. */
function rounded(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : Number(value.toPrecision(3))
}
