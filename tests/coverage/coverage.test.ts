import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { arguedIn, judge, page } from './argued.js'
import { coverageOf, type FileCoverage } from './branches.js'
import { gather } from './gather.js'

const file = 'tests/coverage/sample.fixture.ts'
const script = fileURLToPath(new URL('./sample.fixture.js', import.meta.url))

const unreached = [
  "8: never true: const unequal = given === 0 ? 'never' : 'always'",
  '9: never reached: const either = unequal || String(neverCalled())',
  '11: never false: if (given > 0) console.log(either)',
  '13: never true: if (given === 0) {',
  '15: never true: } else if (given < 0) console.log(3)',
  '18: never reached: case 0:',
  '28: never reached: console.log(7)',
  '32: never called: function neverCalled(): number {',
]

const shown = (found: FileCoverage | null): string[] =>
  (found?.unreached ?? []).map(({ line, never, text }) => `${line}: never ${never}: ${text}`)

describe('the coverage', () => {
  test('is what processes wrote, merged; their files are deleted', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'uw-coverage-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const env = { ...process.env, NODE_V8_COVERAGE: folder }
    for (let run = 0; run < 2; run++) spawnSync(process.execPath, [script], { env })
    writeFileSync(join(folder, 'coverage-0-0-0.json'), '{"result":[{"scriptId"')
    writeFileSync(join(folder, 'done'), '')
    const { scripts, reports, broken } = await gather(folder, (path) => path === script)
    assert.deepEqual([reports, broken, scripts.size], [2, 1, 1])
    assert.deepEqual(readdirSync(folder), ['coverage-0-0-0.json', 'done'])
    const found = await coverageOf(script, scripts.get(script))
    assert.deepEqual(shown(found), unreached)
    assert.deepEqual([found?.file, found?.branches], [file, { all: 16, reached: 6 }])
  })

  test('of a source that no process loaded is nothing', async () => {
    const found = await coverageOf(script, undefined)
    assert.equal(shown(found)[0], '6: never reached: const given: number = process.argv.length')
    assert.deepEqual([found?.branches.reached, found?.lines.reached], [0, 0])
  })
})

describe('what is not reached', () => {
  const of = (text: string): FileCoverage[] => {
    const count = { all: 1, reached: 0 }
    return [
      {
        file: 'src/a.ts',
        lines: count,
        branches: count,
        unreached: [{ line: 7, text, never: 'true' }],
        within: [7, 8].map((line) => ({ line, text: line === 7 ? text : 'b()', never: 'true' })),
      },
    ]
  }

  test('is argued by an entry with its file and the text of its line, wherever that is', () => {
    const entry = arguedIn('- `src/a.ts` `if (a) b()` is never true: a holds nowhere.\n')
    assert.deepEqual(judge(of('if (a) b()'), entry), { open: [], stale: [], reached: [] })
    for (const other of ['if (b) b()', '} else if (a) b()']) {
      const { open, stale } = judge(of(other), entry)
      assert.deepEqual([open.map(({ line }) => line), stale], [[7], entry])
    }
  })

  test('is argued by an entry below a heading that gives the reason for all', () => {
    const below = (heading: string): string =>
      `${heading} Guards\n\nOf callers.\n\n- \`src/a.ts\` \`if (a) b()\` is never true\n`
    assert.deepEqual(judge(of('if (a) b()'), arguedIn(below('###'))).open, [])
    assert.equal(judge(of('if (a) b()'), arguedIn(below('##'))).open.length, 1)
  })

  test('is stale where it lies within something else, and reached where it does not', () => {
    const entries = arguedIn(
      ['b()', 'c()'].map((text) => `- \`src/a.ts\` \`${text}\` is never true: so.\n`).join(''),
    )
    const { stale, reached } = judge(of('if (a) b()'), entries)
    assert.deepEqual([stale.length, reached.map(({ text }) => text)], [2, ['c()']])
  })

  test('may have backquotes in its line', () => {
    const entry = arguedIn('- `src/a.ts` ``if (a) b(`c`)`` is never true: a holds nowhere.')
    assert.deepEqual(judge(of('if (a) b(`c`)'), entry).open, [])
  })

  test('is not argued by an entry without a reason, or with a word that is none of ours', () => {
    for (const wrong of ['is never true:', 'is never true', 'is never taken: so', 'true: so'])
      assert.deepEqual(
        arguedIn(`- \`src/a.ts\` \`if (a) b()\` ${wrong}\n`),
        [],
        `${page}: ${wrong}`,
      )
  })
})
