import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { shown } from '../tidy/tree.js'
import { checkOutcomes, compiled, summaryOf, type Outcome, type Outcomes } from './outcomes.js'
import type { Row } from './page.js'

const file = 'src/a.test.ts'
const rowOf = (id: string, planned: string | null = null): Row => ({
  id,
  line: 7,
  class: 'same',
  how: 'how',
  files: [],
  tests: planned === null ? [{ file, title: `${id}: it holds` }] : [],
  planned,
  unreadable: [],
})
const outcomes = (id: string, ...found: Outcome[]): Outcomes =>
  new Map([[file, new Map([[`${id}: it holds`, found]])]])

describe('the tests that a page of requirements cites', () => {
  test('must each have run once and passed', () => {
    const row = rowOf('KT-1')
    assert.deepEqual(checkOutcomes([row], outcomes('KT-1', 'passed')), [])
    for (const [found, reason] of [
      [outcomes('KT-1', 'failed'), /was failed/],
      [outcomes('KT-1', 'skipped'), /was skipped/],
      [outcomes('KT-1', 'todo'), /was todo/],
      [outcomes('KT-1', 'passed', 'passed'), /2 tests/],
      [outcomes('KT-2', 'passed'), /no test 'KT-1: it holds' ran/],
      [new Map(), /no test 'KT-1: it holds' ran/],
    ] as const) {
      const [violation, ...more] = checkOutcomes([row], found).map(shown)
      assert.match(violation ?? '', /^docs\/internals\/requirements\.md:7: KT-1: /)
      assert.match(violation ?? '', reason)
      assert.deepEqual(more, [])
    }
  })

  test('are counted in one line, beside those that are planned', () => {
    const rows = [rowOf('NP-1'), rowOf('NP-2'), rowOf('NP-3', 'later'), rowOf('SG-1', 'later')]
    const wrong = checkOutcomes(rows, outcomes('NP-2', 'passed'))
    const line = summaryOf(rows, wrong)
    assert.match(line, /^KT 0\/28 UW 0\/22 INV-KT 0\/8 /)
    assert.match(line, / NP 1\/4 \(1 planned\) WQ 0\/66 /)
    assert.match(line, / SG 0\/11 \(1 planned\) INV-SIG 0\/5 BUG-SIG 0\/6$/)
  })

  test('are run from where the compiler puts them', () => {
    assert.equal(compiled('src/os/proc.test.ts'), 'dist/os/proc.test.js')
    assert.equal(compiled('tests/tidy.test.ts'), 'build/tests/tidy.test.js')
  })

  test('are found by their titles, whatever they are grouped in and however they ended', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'uw-outcomes-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const made = join(folder, 'made.test.mjs')
    writeFileSync(
      made,
      `import { describe, test } from 'node:test'
       describe('group', () => { test('inside', () => {}); test('twice', () => {}) })
       test('twice', () => {})
       test('fails', () => { throw new Error() })
       test('skipped', { skip: true }, () => {})
       test('skips itself', (t) => t.skip())
       test('todo', { todo: 'why' }, () => {})`,
    )
    const program = join(folder, 'program.mjs')
    writeFileSync(
      program,
      `import { outcomesIn } from ${JSON.stringify(new URL('./outcomes.js', import.meta.url).href)}
       console.log(JSON.stringify([...await outcomesIn(${JSON.stringify(made)})]))`,
    )
    // Inside a test the runner would not run another.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const out = execFileSync(process.execPath, [program], { encoding: 'utf8', env })
    const found = Object.fromEntries(JSON.parse(out) as [string, Outcome[]][])
    assert.deepEqual(found['inside'], ['passed'])
    assert.deepEqual(found['twice'], ['passed', 'passed'])
    assert.deepEqual(found['fails'], ['failed'])
    assert.deepEqual(found['skipped'], ['skipped'])
    assert.deepEqual(found['skips itself'], ['skipped'])
    assert.deepEqual(found['todo'], ['todo'])
  })
})
