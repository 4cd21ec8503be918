import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { checkRequirements } from './requirements/structure.js'
import { definedIn, ids, idsIn, maybeImpossible } from './requirements/ids.js'
import { root } from './root.js'
import { readTree, shown } from './tidy/tree.js'

describe('the requirements', () => {
  test('each have a row that says how, in which file, and by which test', () => {
    const violations = checkRequirements(readTree(root)).map(shown)
    if (violations.length > 0) assert.fail(`\n${violations.join('\n')}\n`)
  })

  test('are those of the kernel specification, where it lies beside the project', (t) => {
    const file = join(root, '..', 'shared', 'kernel-spec.md')
    if (!existsSync(file)) return t.skip('it is not there')
    const defined = definedIn(readFileSync(file, 'utf8'))
    assert.deepEqual([...ids].sort(), [...new Set(defined)].sort())
  })

  test('are each written down once, and impossible ones are among them', () => {
    assert.equal(new Set(ids).size, ids.length)
    for (const id of maybeImpossible) assert.ok(ids.includes(id), id)
  })

  test('are found in a text by their ids', () => {
    const text = 'BUG-KT-3 and KT-17 (INV-IOWQ-5), but S3-6, C-21 and XKT-4 are none; KT-17'
    assert.deepEqual(idsIn(text), ['BUG-KT-3', 'KT-17', 'INV-IOWQ-5'])
    const specification = '| KT-1 | x |\n| **NP-2** y | KT-5 |\n* **INV-KT-1** z\n| S0-1 | KT-9 |\n'
    assert.deepEqual(definedIn(specification), ['KT-1', 'NP-2', 'INV-KT-1'])
  })
})
