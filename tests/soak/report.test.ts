import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Sample } from './measures.js'
import type { Account } from './program.js'
import { growthOf, leastMsForMemory, reportOf, type Heard } from './report.js'

const sample: Sample = {
  rss: 2e8,
  heap: 1e7,
  external: 1e6,
  arrayBuffers: 1e6,
  fds: 50,
  threads: 20,
  mappings: 900,
  rows: 5,
  children: 1,
}
const account: Account = { works: { add: 3, echo: 4 }, lost: 0, duplicated: 0, wrong: 0, notes: [] }
const heard: Heard = {
  seed: 1,
  ms: leastMsForMemory,
  samples: Array.from({ length: 20 }, () => sample),
  account,
  skipped: [],
  ending: null,
}

/** With samples that are more and more of something. */
const growing = (measure: keyof Sample, step: number): Sample[] =>
  heard.samples.map((each, at) => ({ ...each, [measure]: each[measure] + at * step }))

describe('growth', () => {
  test('is that of the medians of the first and the last quarter behind the first fifth', () => {
    const warmUp = [1, 1, 1, 1]
    const settled = [10, 11, 12, 99, 20, 20, 20, 20, 20, 20, 20, 20, 21, 22, 23, 0]
    const growth = growthOf('fds', [...warmUp, ...settled], true)
    assert.deepEqual([growth.first, growth.last], [11.5, 21.5])
    assert.equal(Math.round(growth.growthPercent), 87)
  })

  test('of memory leaves out five samples, or half of them, where that is more than the first fifth', () => {
    const slow = [1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6]
    assert.equal(growthOf('rss', slow, true).growthPercent, 0)
    assert.ok(growthOf('fds', slow, true).growthPercent > 0)
    assert.deepEqual(growthOf('rss', [1, 2, 3, 4], true).first, 3)
  })

  test('of what was not there is whole, and of what stays, or shrinks, is none', () => {
    assert.equal(growthOf('rows', [0, 0, 0, 0, 0, 1], true).growthPercent, 100)
    assert.equal(growthOf('rows', [0, 0, 0, 0], true).growthPercent, 0)
    assert.equal(growthOf('rows', [9, 9, 9, 8], true).growthPercent < 0, true)
  })
})

describe('a soak', () => {
  test('that loses nothing and leaves nothing has no complaints', () => {
    const { complaints, submitted, growthPercent } = reportOf(heard)
    assert.deepEqual([complaints, submitted, growthPercent], [[], 7, 0])
  })

  test('fails for each measure that grows', () => {
    for (const measure of Object.keys(sample) as (keyof Sample)[]) {
      const report = reportOf({ ...heard, samples: growing(measure, sample[measure] / 50) })
      assert.equal(report.complaints.length, 1, measure)
      assert.match(report.complaints[0] ?? '', new RegExp(`^${measure} has grown`))
      assert.ok(report.growthPercent > 2)
    }
  })

  test('that is short is judged by what it counts, and not by its memory', () => {
    const short = { ...heard, ms: leastMsForMemory - 1 }
    assert.deepEqual(reportOf({ ...short, samples: growing('heap', 1e6) }).complaints, [])
    assert.equal(reportOf({ ...short, samples: growing('threads', 1) }).complaints.length, 1)
  })

  test('fails for what was lost, duplicated or wrong, and for an end that is none', () => {
    for (const what of ['lost', 'duplicated', 'wrong'])
      assert.deepEqual(reportOf({ ...heard, account: { ...account, [what]: 2 } }).complaints, [
        `2 ${what}`,
      ])
    assert.equal(reportOf({ ...heard, account: null }).complaints.length, 1)
    assert.deepEqual(reportOf({ ...heard, ending: 'it stood still' }).complaints, [
      'it stood still',
    ])
    assert.equal(reportOf({ ...heard, samples: [sample] }).complaints.length, 1)
  })
})
