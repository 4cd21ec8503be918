import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkTopLevelAwait } from './top-level-await.js'
import { shown, treeOf } from './tree.js'

const found = async (text: string, path = 'src/wq/a.ts'): Promise<string[]> =>
  (await checkTopLevelAwait(treeOf({ [path]: text }))).map(shown)

describe('the check of top-level await', () => {
  test('objects to it wherever it hides', async () => {
    for (const text of [
      'await x',
      'export const x = await import("./b.js")',
      'if (x) { try { await x } catch {} }',
      'const x = `${await x}`',
      'for await (const x of y) {}',
      'await using x = y',
      'export default [{ x: (await x).y }]',
      'const f = () => 1; await f()',
    ]) {
      const [first = 'no violation', ...more] = await found(`export {}\n${text}`)
      assert.match(first, /^src\/wq\/a\.ts:2: awaits while the module loads/, text)
      assert.deepEqual(more, [])
    }
  })

  test('lets functions of all kinds await', async () => {
    const text = `
      // await x
      export async function f() { await x; for await (const y of z) {} }
      const g = async () => { await using x = y }
      const h = async () => await x
      const i = { async j() { await x }, k: async function () { await x } }
      class L { async #m() { await x }; n = async () => await x; static async *o() { await x } }
      void (async () => { await x })()
      const p = 'await x' + \`await \${x}\` + /await x/.source
      using q = r`
    assert.deepEqual(await found(text), [])
  })

  test('is for the library: modules of tests may take their time', async () => {
    assert.deepEqual(await found('await x', 'src/wq/a.fixture.ts'), [])
    assert.deepEqual(await found('await x', 'examples/a.ts'), [])
  })
})
