/**
 * What comes of the rounds: medians, spreads and ratios.
 *
 * @module
 */
import { median } from '../dispatch/figures.js'
import { cases, type Figures, type Setting } from './cases.js'

/** What a side gave in its rounds. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
  /** CPU time of the backend for a request, in microseconds: the median. */
  readonly cpuUs: number
  readonly rounds: number
}

/** A line of the report. */
export interface Row {
  readonly setting: string
  readonly case: string
  readonly queues: number
  readonly unit: 'requests/s'
  readonly sides: Readonly<Record<string, Spread>>
  readonly bestPeer: string | null
  /** How much quicker ours is than the better peer: the median of the rounds' ratios. */
  readonly ratio: number | null
  /** How much less CPU time ours takes for a request than that peer. */
  readonly cpuRatio: number | null
}

/** The figures of each round, by side, setting and case. */
export class Recorded {
  readonly #figures = new Map<string, Figures[]>()

  add(side: string, setting: string, name: string, figures: Figures): void {
    const key = `${side}/${setting}/${name}`
    this.#figures.set(key, [...(this.#figures.get(key) ?? []), figures])
  }

  of(side: string, setting: string, name: string): readonly Figures[] {
    return this.#figures.get(`${side}/${setting}/${name}`) ?? []
  }
}

/** The lines of a setting. Sides that gave nothing are left out. */
export function rowsOf(
  record: Recorded,
  setting: Setting,
  ours: string,
  peers: readonly string[],
): Row[] {
  return cases.map(({ name }) => {
    const figures = (side: string): readonly Figures[] => record.of(side, setting.name, name)
    const spreads = Object.fromEntries(
      [ours, ...peers]
        .filter((side) => figures(side).length > 0)
        .map((side) => [side, spreadOf(figures(side))]),
    )
    const [best = null] = peers
      .filter((peer) => spreads[peer] !== undefined)
      .toSorted((a, b) => (spreads[b]?.median ?? 0) - (spreads[a]?.median ?? 0))
    const ratios = (of: (own: Figures, other: Figures) => number): number | null => {
      const others = best === null ? [] : figures(best)
      const all = figures(ours).flatMap((own, round) => {
        const other = others[round]
        return other === undefined ? [] : [of(own, other)]
      })
      return all.length === 0 ? null : rounded(median(all))
    }
    return {
      setting: setting.name,
      case: name,
      queues: setting.queues,
      unit: 'requests/s',
      sides: spreads,
      bestPeer: best,
      ratio: ratios((own, other) => own.iops / other.iops),
      cpuRatio: ratios((own, other) => other.cpuUs / own.cpuUs),
    }
  })
}

function spreadOf(figures: readonly Figures[]): Spread {
  const iops = figures.map((each) => each.iops)
  return {
    median: rounded(median(iops)),
    least: rounded(Math.min(...iops)),
    most: rounded(Math.max(...iops)),
    cpuUs: rounded(median(figures.map(({ cpuUs }) => cpuUs))),
    rounds: figures.length,
  }
}

/** Three digits tell more than the noise. */
const rounded = (value: number): number => Number(value.toPrecision(3))
