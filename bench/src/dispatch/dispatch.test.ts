import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readArguments } from './arguments.js'
import { Chains } from './chains.js'
import { dotsOf, specificationOf } from './chart.js'
import { median, ratioOf, rowOf, type ByRound, type Row } from './figures.js'
import { throughput } from './in-flight.js'
import type { Case } from './measure.js'
import { caseNames, measures } from './measures.js'
import { tableOf } from './report.js'
import { addResults, merge, readResults } from './results.js'
import { noteOf, perWorker } from './rounds.js'

const folder = fileURLToPath(new URL('.', import.meta.url))
const about = { node: '20.1.0', quick: false, notes: {} }

/** A row of what sides gave, round by round. */
const rowWith = (of: Case, bySide: Record<string, ByRound>, spin = false): Row =>
  rowOf(
    of,
    { workers: 1, limits: spin ? ['postMessage', 'spin'] : [] },
    new Map(Object.entries(bySide)),
    about,
  )

const speed: Case = { name: 'in-flight-16', unit: 'works/s', figure: 'value' }
const time: Case = { name: 'latency-p50', unit: 'us', figure: 'p50' }

describe('the figures of the bench of dispatch', () => {
  test('are medians', () => {
    assert.equal(median([3, 1, 2]), 2)
    assert.equal(median([4, 1, 3, 2]), 2.5)
    assert.equal(median([7]), 7)
    assert.ok(Number.isNaN(median([])))
  })

  test('compare so that above 1 ours is better', () => {
    assert.equal(ratioOf('works/s', 300, 100), 3)
    assert.equal(ratioOf('beats/s', 10, 20), 0.5)
    for (const unit of ['us', 'ms', 'ns', 'MB', '%'] as const) assert.equal(ratioOf(unit, 2, 6), 3)
  })

  test('have the better of two settings of a peer, and the ratio to the best of all', () => {
    const row = rowWith(speed, {
      ours: [100, 200, 900],
      'piscina, Atomics': [20, 20, 20],
      'piscina, 64 each': [50, 50, 60],
      workerpool: [10, 30, 20],
    })
    assert.deepEqual(row.peers, { piscina: 50, tinypool: null, workerpool: 20, poolifier: null })
    assert.equal(row.sides['piscina, Atomics'], 20)
    // Of 2, 4 and 15: the rounds are compared first.
    assert.deepEqual([row.bestPeer, row.ours, row.ratio, row.rounds], ['piscina', 200, 4, 3])
    assert.deepEqual(row.limits, { postMessage: null, spin: null })
    assert.ok(!('quietRounds' in row))
  })

  test('leave rounds out in which a side gave nothing', () => {
    const row = rowWith(time, { ours: [10, null, 30], tinypool: [20, 20, null] })
    assert.deepEqual([row.bestPeer, row.rounds, row.ratio], [null, 0, null])
    const known = rowWith(time, { ours: [10, null, 30], 'tinypool, 64 each': [20, 20, null] })
    assert.deepEqual([known.bestPeer, known.rounds, known.ratio], ['tinypool', 1, 2])
    const alone = rowWith(time, { ours: [10], workerpool: [null] })
    assert.deepEqual([alone.ours, alone.bestPeer, alone.ratio], [10, null, null])
    assert.equal(rowWith(time, { ours: [0], workerpool: [1] }).ratio, null)
  })

  test('say what they are of the rounds in which the machine was quiet', () => {
    const sides = { ours: [1, 10, 2], workerpool: [20, 20, 20], spin: [0.2, 8000, 1.9] }
    const row = rowWith(time, sides, true)
    assert.deepEqual([row.ratio, row.ratioWhenQuiet, row.quietRounds], [10, 15, 2])
    assert.deepEqual(row.byRound, { ours: [1, 10, 2], bestPeer: [20, 20, 20], spin: sides.spin })
    const loud = rowWith(time, { ...sides, spin: [3, 3, 3] }, true)
    assert.deepEqual([loud.ratioWhenQuiet, loud.quietRounds], [null, 0])
  })

  test('of what a worker adds are the difference, for each worker more', () => {
    assert.deepEqual(perWorker({ value: 130 }, { value: 50 }, 8), { value: 10 })
  })

  test('that are missing have a line that says why', () => {
    const uncaught = 'file:1\nthrow\n^\n\nTypeError [A]: no pool\n    at x\n\nNode.js v20.1.0\n'
    assert.equal(noteOf(uncaught), 'TypeError [A]: no pool')
    assert.equal(
      noteOf('a warning\nit has 7 workers instead of 9\n'),
      'it has 7 workers instead of 9',
    )
    assert.equal(noteOf(''), null)
  })
})

describe('the arguments of the bench of dispatch', () => {
  test('choose cases by their names, and measure only what gives them', () => {
    const { cases, measures: chosen } = readArguments(['--case', 'latency-p99'], '/node')
    assert.deepEqual([cases, chosen.map(({ name }) => name)], [['latency-p99'], ['latency']])
  })

  test('are all cases in five rounds on this Node, or one round of a trial', () => {
    const all = readArguments([], '/node')
    assert.deepEqual([all.rounds, all.nodes, all.json], [5, ['/node'], false])
    assert.deepEqual(all.cases, caseNames)
    assert.equal(readArguments(['--quick'], '/node').rounds, 1)
    const two = readArguments(['--node', '/a', '--node', '/b', '--rounds', '7'], '/node')
    assert.deepEqual([two.nodes, two.rounds], [['/a', '/b'], 7])
  })

  test('are refused with what there is', () => {
    const refuses = (args: string[], why: RegExp): void =>
      assert.throws(() => readArguments(args, '/node'), why)
    refuses(['--case', 'faster'], /no case 'faster'\. There is: latency-p50, latency-p99, /)
    refuses(['--rounds', '0'], /--rounds must be 1 or more/)
    refuses(['--rounds', 'many'], /--rounds must be 1 or more/)
    refuses(['--node', 'newest'], /--node must be a version of Node, such as 24, .* 'newest'/)
    refuses(['--fast'], /--fast/)
  })

  test('name each case once', () => {
    assert.deepEqual(caseNames, [...new Set(caseNames)])
    assert.deepEqual(
      measures.map(({ name }) => name),
      [...new Set(measures.map(({ name }) => name))],
    )
  })
})

describe('what the measures are made of', () => {
  test('so many works are in flight, no more', async () => {
    let [running, most] = [0, 0]
    const spans = { warmUpMs: 5, measuredMs: 20, idleMs: 0 }
    const perSecond = await throughput(7, spans, async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
      running--
    })
    assert.deepEqual([most, running], [7, 0])
    assert.ok(perSecond > 0)
  })

  test('works of one key are chained, those of others are not, and nothing is kept', async () => {
    const chains = new Chains()
    const seen: string[] = []
    const work = (name: string, error?: Error) => async () => {
      seen.push(`${name} begins`)
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
      seen.push(`${name} ends`)
      if (error !== undefined) throw error
    }
    const first = chains.run(1, work('first', new Error('fails')))
    const second = chains.run(1, work('second'))
    const other = chains.run(2, work('other'))
    assert.equal(chains.keys, 2)
    await assert.rejects(Promise.resolve(first), /fails/)
    await Promise.all([second, other])
    const places = ['first ends', 'second begins', 'second ends'].map((what) => seen.indexOf(what))
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
    assert.ok(seen.indexOf('other begins') < seen.indexOf('first ends'))
    assert.equal(chains.keys, 0)
  })

  test('every side that needs no package of a peer does each kind of work', () => {
    const sample = (measure: string, side: string): unknown => {
      const args = [join(folder, 'sample.js'), measure, side, '1', 'quick']
      const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      assert.equal(stderr, '', `${measure}: ${side}`)
      return Object.values(JSON.parse(stdout) as Record<string, number>)[0]
    }
    const kinds = ['latency', 'bytes-64k', 'timer', 'file-read', 'busy-amid-tiny', 'interval-beats']
    for (const measure of kinds)
      for (const side of ['ours', 'postMessage'])
        assert.ok(Number(sample(measure, side)) > 0, `${measure}: ${side}`)
    assert.ok(Number(sample('one-key', 'ours')) > 0)
    assert.ok(Number(sample('signal-each', 'ours')) > 0)
    assert.ok(Number(sample('latency', 'spin')) > 0)
  })
})

describe('the results of the bench of dispatch', () => {
  const row = (name: string, ratio: number, quick: boolean): Row => ({
    ...rowWith({ ...speed, name }, { ours: [ratio], workerpool: [1] }),
    quick,
  })

  test('keep of each case the newest row, but no trial in place of a full measuring', () => {
    const before = [row('timer', 1, false), row('string-1k', 1, true)]
    const after = [row('string-1k', 2, true), row('timer', 2, true), row('latency-p50', 2, true)]
    assert.deepEqual(
      merge(before, after).map((each) => [each.case, each.ratio]),
      [
        ['latency-p50', 2],
        ['string-1k', 2],
        ['timer', 1],
      ],
    )
  })

  test('are files by the version of Node', () => {
    const results = mkdtempSync(join(tmpdir(), 'userworker-bench-'))
    try {
      addResults(results, [row('timer', 1, false), { ...row('timer', 3, false), node: '24.0.1' }])
      addResults(results, [row('string-1k', 2, false)])
      assert.deepEqual(
        readResults(results).map(({ name, rows }) => [name, rows.map((each) => each.ratio)]),
        [
          ['dispatch-node20', [2, 1]],
          ['dispatch-node24', [3]],
        ],
      )
      const text = readFileSync(join(results, 'dispatch-node20.json'), 'utf8')
      assert.deepEqual(Object.keys(JSON.parse(text) as object), ['rows'])
    } finally {
      rmSync(results, { recursive: true })
    }
  })

  test('are dots of a chart, where the best peer stands at 1', () => {
    const rows = [
      rowWith(time, { ours: [2], workerpool: [20], 'tinypool, Atomics': [10] }),
      rowWith({ name: 'timer', unit: 'works/s', figure: 'value' }, { ours: [2] }),
    ]
    assert.deepEqual(dotsOf(rows), [
      { case: 'latency-p50', pool: 'tinypool', value: 1 },
      { case: 'latency-p50', pool: 'workerpool', value: 0.5 },
      { case: 'latency-p50', pool: 'userworker', value: 5 },
    ])
    assert.match(JSON.stringify(specificationOf(rows)), /Node 20\.1\.0/)
  })

  test('are a table, with one line for what is to be said', () => {
    const notes = { workerpool: 'no result within 8 s' }
    const rows = [row('timer', 2, false), { ...row('string-1k', 3, false), notes }]
    const text = tableOf([...rows, { ...row('object-1k', 4, false), notes }])
    assert.match(text, /^dispatch, Node 20\.1\.0\n\n +ours +piscina .*ratio.*\ntimer +works\/s +2 /)
    assert.match(text, /\nworkerpool: no result within 8 s \(string-1k, object-1k\)$/)
  })
})
