import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLeakChecks } from './leaks.js'
import { shown, treeOf } from './tree.js'

test('the check of leak checks objects to a suite of the sources that has none', () => {
  const tree = treeOf({
    'src/a.test.ts': "import { checkForLeaks } from './leaks.fixture.js'\n\ncheckForLeaks()\n",
    'src/b.test.ts': '// checkForLeaks()\n',
    'src/c.ts': '',
    'tests/d.test.ts': '',
  })
  const found = checkLeakChecks(tree).map(shown)
  assert.equal(found.length, 1)
  assert.match(found[0] ?? '', /^src\/b\.test\.ts:1: /)
})
