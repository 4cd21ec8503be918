import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { freshFolder } from './demo.fixture.js'
import { outputNames } from './layout.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'

checkForLeaks()

/**
 * What folders are called in the output where that is another name. Names that end in `/` are
 * folders.
 */
function renamed(t: TestContext, ...names: string[]): Record<string, string> {
  const root = freshFolder(t)
  for (const name of names) {
    if (name.endsWith('/')) mkdirSync(join(root, name))
    else writeFileSync(join(root, name), '')
  }
  const list = readdirSync(root, { encoding: 'latin1', withFileTypes: true })
  return Object.fromEntries(outputNames(list))
}

describe('the names of folders in the output', () => {
  test('are their own names', (t) => {
    assert.deepEqual(renamed(t, 'a/', 'b.gz/', 'c', 'd.gz', 'SHA256SUMS'), {})
  })

  test('are others where a file of the output would be called so', (t) => {
    assert.deepEqual(renamed(t, 'a', 'a.gz/', 'SHA256SUMS/'), {
      'a.gz': 'a.gz.d',
      SHA256SUMS: 'SHA256SUMS.d',
    })
  })

  test('are never the name of another file or folder', (t) => {
    assert.deepEqual(renamed(t, 'a', 'a.gz/', 'a.gz.d/', 'b', 'b.gz/', 'b.gz.d'), {
      'a.gz': 'a.gz.d.d',
      'b.gz': 'b.gz.d.d',
    })
  })
})
