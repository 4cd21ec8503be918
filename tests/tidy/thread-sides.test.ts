import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkThreadSides } from './thread-sides.js'
import { shown, treeOf } from './tree.js'

const files = {
  'src/worker/index.ts': "export * from './worker.js'",
  'src/worker/thread-side.ts': '',
  'src/worker/worker.ts': "new URL('./entry.js', import.meta.url)",
  'src/worker/entry.ts': "import './thread-side.js'",
  'src/wq/serve-module.ts': "import '../worker/index.js'\nnew URL('./entry.js', import.meta.url)",
}

describe("the check of threads' sides", () => {
  test('lets a thread load its side, and the types of the other', async () => {
    const entry = "import './a.js'\nimport type { x } from '../worker/index.js'"
    const tree = { ...files, 'src/wq/entry.ts': entry, 'src/wq/a.ts': "import './entry.js'" }
    assert.deepEqual(await checkThreadSides(treeOf(tree)), [])
  })

  test("objects to the owner's side, by whatever detour, and shows the way", async () => {
    const a = "import { x } from '../worker/index.js'"
    const tree = { ...files, 'src/wq/entry.ts': "import './a.js'", 'src/wq/a.ts': a }
    const found = (await checkThreadSides(treeOf(tree))).map(shown)
    const way = 'src/wq/entry.ts → src/wq/a.ts → src/worker/index.ts → src/worker/worker.ts'
    assert.equal(found.length, 1)
    assert.ok(found[0]?.startsWith('src/wq/serve-module.ts:2: '), found[0])
    assert.ok(found[0]?.includes(way), found[0])
  })
})
