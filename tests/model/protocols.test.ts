import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, test } from 'node:test'
import { complaintOf, runNode } from '../consumer.js'
import { root } from '../root.js'
import { protocols } from './catalogue.js'
import { mutantsOf } from './mutants.js'

const main = fileURLToPath(new URL('./main.js', import.meta.url))
const all = [...(await protocols()).values()]

/** As deep as is quick: `npm run model` goes deeper. */
const preemptions = 2

/** What the checker finds, by protocol: of all of them in one process, which takes some twenty seconds. */
let findings: Promise<Findings> | null = null

interface Findings {
  readonly said: string
  readonly rows: ReadonlyMap<string, Record<string, unknown>>
}

async function findAll(): Promise<Findings> {
  const options = ['--json', '--no-mutants', '--preemptions', String(preemptions)]
  const end = await runNode(root, ['--conditions=userworker-model', main, ...options])
  const said = complaintOf(end)
  assert.notEqual(end.stdout, '', said)
  const { protocols: found } = JSON.parse(end.stdout) as { protocols: Record<string, unknown>[] }
  return { said, rows: new Map(found.map((row) => [String(row['name']), row])) }
}

describe('in every interleaving', () => {
  for (const { name, promise, threads } of all) {
    test(`${name}: ${promise}`, async () => {
      findings ??= findAll()
      const { said, rows } = await findings
      const { states, schedules, ...row } = rows.get(name) ?? {}
      const none = { failures: 0, mutants: 0, mutantsFound: 0 }
      const expected = { name, threads: Object.keys(threads).length, preemptions, ...none }
      assert.deepEqual(row, expected, said)
      assert.ok(Number(states) > 0 && Number(schedules) > 0)
    })
  }
})

describe('the mutants', () => {
  test('each protocol has some, and each says what it breaks', () => {
    for (const { name } of all) {
      const mutants = mutantsOf(name)
      assert.ok(mutants.length >= 2, `${name} has ${mutants.length} mutants`)
      for (const { file, breaks } of mutants) {
        assert.match(breaks, /^[A-Z].*\.$/, `${file}: the first line is not a sentence`)
        assert.match(readFileSync(file, 'utf8'), /^diff --git a\/src\//m)
      }
    }
  })

  test('each belongs to a protocol', () => {
    const names = new Set(all.map(({ name }) => name))
    const strangers = readdirSync(join(root, 'tests', 'model', 'mutants')).filter(
      (file) => !(file.endsWith('.patch') && names.has(file.split('.')[0] ?? '')),
    )
    assert.deepEqual(strangers, [])
  })
})
