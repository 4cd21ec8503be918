import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isSettled, pageOf, summaryOf, tableOf, type Line } from './report.js'
import type { Row } from './row.js'
import { rows } from './rows.js'
import { tried } from './runner.js'

/** Other programs may have the processors: what hangs, hangs for longer than this. */
const generous = { hangMs: 30_000, withinMs: 20_000 }

describe('every promise of a queue settles, and the next work runs', () => {
  for (const row of rows) {
    test(row.title, async (t) => {
      const isolation = row.needs?.includes('processes') === true ? 'process' : 'thread'
      const outcome = await tried(row, 'ours', { isolation, hangMs: generous.hangMs })
      if ('missing' in outcome) {
        // Limits of the system need not hold for everybody.
        assert.ok(row.asStranger, outcome.missing)
        return t.skip(outcome.missing)
      }
      assert.deepEqual([outcome.seen, outcome.next], [row.expected, 'runs'])
      assert.ok(outcome.ms <= (row.deadlineMs ?? 0) + generous.withinMs, `${outcome.ms} ms`)
    })
  }

  test('each row has a title of its own', () => {
    const titles = rows.map(({ title }) => title)
    assert.deepEqual([...new Set(titles)], titles)
  })
})

describe('the table of settled promises', () => {
  const row: Row = { title: 'a failure', expected: 'E_ONE', run: async () => '' }
  const line = (pool: string, seen: string, ms = 1, next = 'runs'): Line => ({
    row,
    pool,
    outcome: { seen, ms, next },
  })
  const missing: Line = { row, pool: 'ours', outcome: { missing: 'n/a' } }

  test('counts a row as settled by what was seen, when, and whether the next work ran', () => {
    assert.ok(isSettled(line('ours', 'E_ONE', 1000), 1000))
    assert.ok(!isSettled(line('ours', 'E_ONE', 1001), 1000))
    assert.ok(!isSettled(line('ours', 'E_TWO'), 1000))
    assert.ok(!isSettled(line('ours', 'E_ONE', 1, 'HANG'), 1000))
    assert.ok(isSettled({ ...line('ours', 'E_ONE', 1400), row: { ...row, deadlineMs: 500 } }, 1000))
  })

  test('sums up ours alone, and what was not tried apart', () => {
    const lines = [line('ours', 'E_ONE'), line('ours', 'HANG'), line('piscina', 'HANG'), missing]
    assert.equal(summaryOf(lines, 1000), 'settled 1/2 (1 not tried, see above)')
    assert.equal(summaryOf(lines.slice(0, 1), 1000), 'settled 1/1')
  })

  test('marks what is wrong, as text and as a page', () => {
    const lines = [line('ours', 'E_TWO'), line('piscina', 'HANG', 5000, 'HANG')]
    assert.match(tableOf(lines, 1000), /a failure +ours +E_ONE +E_TWO +runs +WRONG +1\n +piscina/)
    const setting = { node: '20.0.0', isolation: 'thread', versions: { piscina: '1.2.3' } }
    const page = pageOf(lines, setting, 1000)
    assert.match(page, /piscina 1\.2\.3/)
    assert.match(page, /\| a failure \| `E_TWO`, 1 ms \| \*\*HANG\*\*; next: `HANG` \|/)
  })

  test('tells a pool that hangs from one that settles: the trial is one that can fail', async () => {
    const spins = rows.find(({ title }) => title.includes('close'))
    assert.ok(spins)
    // The close of our queue needs 500 ms, and so hangs where 50 ms are a hang.
    const outcome = await tried(spins, 'ours', { isolation: 'thread', hangMs: 150 })
    assert.equal('seen' in outcome && outcome.seen, 'HANG')
  })
})
