/**
 * Results as a chart: a line for each case, and on it how well each pool does, as part of what the
 * best of the peers does.
 *
 * @module
 */
import { ratioOf, type Row } from './figures.js'
import { loadPackage } from './packages.js'
import { peers } from './sides.js'

/** A dot: how much better than the best peer a pool is in a case; below 1, how much worse. */
export interface Dot {
  readonly case: string
  readonly pool: string
  readonly value: number
}

const ours = 'userworker'
const colours: Readonly<Record<string, string>> = {
  [ours]: '#d1242f',
  piscina: '#0969da',
  tinypool: '#1a7f37',
  workerpool: '#9a6700',
  poolifier: '#8250df',
}

/** Of cases of which both ours and a peer's figure are known. */
export function dotsOf(rows: readonly Row[]): Dot[] {
  return rows.flatMap((row) => {
    const best = row.bestPeer === null ? null : row.peers[row.bestPeer]
    if (best === null || row.ratio === null) return []
    const dot = (pool: string, value: number): Dot => ({ case: row.case, pool, value })
    const theirs = peers.flatMap((peer) => {
      const value = row.peers[peer]
      return value === null ? [] : [dot(peer, ratioOf(row.unit, value, best))]
    })
    // A pool without any beats has no place on a logarithmic scale.
    return [...theirs, dot(ours, row.ratio)].filter(({ value }) => value > 0 && isFinite(value))
  })
}

/** The part of vega that is used. */
interface Vega {
  parse(spec: object): object
  readonly View: new (runtime: object, options: object) => { toSVG(): Promise<string> }
}

/** Draws the chart. */
export async function svgOf(rows: readonly Row[]): Promise<string> {
  const vega = await loadPackage<Vega>('vega')
  const view = new vega.View(vega.parse(specificationOf(rows)), { renderer: 'none' })
  return `${await view.toSVG()}\n`
}

const lineHeight = 22

/** 1, 2 and 5 of each power of ten; those outside of the scale are not drawn. */
const ticks = [-4, -3, -2, -1, 0, 1, 2, 3, 4].flatMap((power) =>
  [1, 2, 5].map((digit) => Number(`${digit}e${power}`)),
)

/** What vega draws. */
export function specificationOf(rows: readonly Row[]): object {
  const dots = dotsOf(rows)
  const cases = [...new Set(dots.map((dot) => dot.case))]
  const pools = [...peers, ours]
  return {
    width: 560,
    height: Math.max(cases.length, 1) * lineHeight,
    padding: 16,
    background: '#ffffff',
    title: {
      text: `Compared with the best of four pools, Node ${rows[0]?.node ?? '?'}`,
      subtitle: subtitleOf(rows),
      anchor: 'start',
      offset: 12,
    },
    data: [
      { name: 'dots', values: dots },
      { name: 'best', values: [{ value: 1 }] },
    ],
    scales: [
      {
        name: 'x',
        type: 'log',
        domain: { data: 'dots', field: 'value' },
        range: 'width',
        nice: true,
      },
      { name: 'y', type: 'point', domain: cases, range: 'height', padding: 0.5 },
      { name: 'colour', type: 'ordinal', domain: pools, range: pools.map((pool) => colours[pool]) },
    ],
    axes: [
      {
        orient: 'bottom',
        scale: 'x',
        title: 'times as good as the best of the four (logarithmic)',
        grid: true,
        gridColor: '#eaeef2',
        values: ticks,
        labelOverlap: 'greedy',
        encode: { labels: { update: { text: { signal: "format(datum.value, '~g') + '×'" } } } },
      },
      { orient: 'left', scale: 'y', domain: false, ticks: false, grid: true, gridColor: '#eaeef2' },
    ],
    legends: [{ fill: 'colour', orient: 'top', direction: 'horizontal', symbolType: 'circle' }],
    marks: [bestLine, dotMarks],
  }
}

const bestLine = {
  type: 'rule',
  from: { data: 'best' },
  encode: {
    enter: {
      x: { scale: 'x', field: 'value' },
      y: { value: 0 },
      y2: { signal: 'height' },
      stroke: { value: '#57606a' },
      strokeDash: { value: [4, 3] },
    },
  },
}

const dotMarks = {
  type: 'symbol',
  from: { data: 'dots' },
  encode: {
    enter: {
      x: { scale: 'x', field: 'value' },
      y: { scale: 'y', field: 'case' },
      fill: { scale: 'colour', field: 'pool' },
      size: [{ test: `datum.pool === '${ours}'`, value: 110 }, { value: 55 }],
      fillOpacity: { value: 0.9 },
    },
  },
}

function subtitleOf(rows: readonly Row[]): string {
  const trial = rows.some(({ quick }) => quick) ? '; a trial, the figures are a hint' : ''
  return `To the right of the line is better, whatever the unit${trial}`
}
