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

describe('in every interleaving', () => {
  for (const { name, promise } of all) {
    test(`${name}: ${promise}`, async () => {
      const args = ['--conditions=userworker-model', main, name, '--json', '--no-mutants']
      const end = await runNode(root, args)
      assert.equal(complaintOf(end), '')
      const { protocols: found } = JSON.parse(end.stdout) as { protocols: object[] }
      assert.equal(found.length, 1)
      assert.deepEqual(Object.keys(found[0] ?? {}), [
        'name',
        'threads',
        'preemptions',
        'states',
        'schedules',
        'failures',
        'mutants',
        'mutantsFound',
      ])
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
