import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { benches } from './benches.js'
import { spreadOf, type Spread } from './rounds.js'
import { lineOf, tableOf, type Report } from './report.js'

const main = fileURLToPath(new URL('main.js', import.meta.url))
const bench = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })

const isSpread = (spread: Spread | null): boolean =>
  spread !== null && spread.p50 > 0 && spread.p99 >= spread.p50

describe('the bench of workers', () => {
  const measures = benches['worker'] ?? []
  const rowsOf = (index: number): string[] => measures[index]?.rows.map(({ name }) => name) ?? []

  test('prints each row once, with our figures beside the raw ones', () => {
    const { status, stdout, stderr } = bench('worker', '--json', '--quick')
    assert.equal(status, 0, stderr)
    const report = JSON.parse(stdout) as Report
    assert.deepEqual(Object.keys(report), ['bench', 'node', 'cpus', 'rows'])
    assert.equal(report.bench, 'worker')
    assert.equal(report.node, process.versions.node)
    assert.deepEqual(
      report.rows.map(({ name }) => name),
      measures.flatMap((_, index) => rowsOf(index)),
    )
    for (const row of report.rows) {
      assert.deepEqual(Object.keys(row), ['name', 'unit', 'ours', 'raw', 'ratio'])
      assert.match(row.unit, /^(ms|us)$/)
      assert.ok(isSpread(row.raw), row.name)
      assert.ok(isSpread(row.ours) && Number(row.ratio) > 0, row.name)
    }
  })

  test('measures chosen rows only, and says what there is to choose', () => {
    const { stdout } = bench('worker', 'park-busy', '--quick')
    assert.match(stdout, /^worker, Node .*\n\n.*ours p50.*\npark-busy +us .*\n$/)
    const unknown = bench('worker', 'faster')
    assert.deepEqual([unknown.status, unknown.stdout], [2, ''])
    assert.match(unknown.stderr, /no row's name contains faster\. There is: create-ready, /)
    assert.match(bench('walker').stderr, /no bench 'walker'\. There is: worker, dispatch, chart/)
    const unknownCase = bench('dispatch', '--case', 'faster')
    assert.deepEqual([unknownCase.status, unknownCase.stdout], [2, ''])
    assert.match(unknownCase.stderr, /no case 'faster'\. There is: latency-p50, /)
    assert.match(bench('worker', '--rounds', '0').stderr, /--rounds must be 1 or more/)
  })
})

describe('the figures', () => {
  test('are those at the ranks, and of few samples the slowest', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { p50: 2, p99: 3 })
    const hundred = Array.from({ length: 200 }, (_, index) => 200 - index)
    assert.deepEqual(spreadOf(hundred), { p50: 100, p99: 198 })
  })

  test('are medians over the rounds, in the unit of the row', () => {
    const spreads = (...p50s: number[]): Spread[] => p50s.map((p50) => ({ p50, p99: p50 * 10 }))
    const rounds = new Map([
      ['ours.x', spreads(3000, 1000, 90_000)],
      ['raw.x', spreads(2000, 2000, 1000)],
    ])
    const row = { name: 'x', unit: 'ms', ours: 'ours.x', raw: 'raw.x' } as const
    const line = lineOf(row, rounds)
    assert.deepEqual(line, {
      name: 'x',
      unit: 'ms',
      ours: { p50: 3, p99: 30 },
      raw: { p50: 2, p99: 20 },
      ratio: 1.5,
    })
    const none = lineOf({ ...row, ours: 'ours.y' }, rounds)
    assert.deepEqual([none.ours, none.ratio], [null, null])
    const report = { bench: 'b', node: '1', cpus: 2, rows: [line, none] }
    assert.deepEqual(tableOf(report).split('\n').slice(2), [
      '       ours p50  p99  raw p50  p99  ratio',
      'x  ms         3   30        2   20    1.5',
      'x  ms         -    -        2   20      -',
    ])
  })
})
