import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { shown, treeOf } from '../tidy/tree.js'
import { ids } from './ids.js'
import { page } from './page.js'
import { checkRequirements } from './structure.js'

const title = (id: string): string => `${id}: it holds`
const good = (id: string): string =>
  `| ${id} | same | how | \`src/a.ts\` | \`src/a.test.ts: ${title(id)}\` |`

/** What the check objects to when some rows are other than good ones. */
function objections(changed: Record<string, string>): string[] {
  const rows = ids.map((id) => changed[id] ?? good(id))
  const more = `test('KT-9, KT-8: both', f); test("KT-7: don't", f); test('KT-1, KT-2, KT-3, KT-4', f)`
  const tree = treeOf({
    'src/a.ts': '',
    'src/a.test.ts': ids.map((id) => `test('${title(id)}', f)`).join('\n') + more,
    [page]: `# Requirements\n\n| id | class |\n| -- | -- |\n${rows.join('\n')}\n`,
  })
  return checkRequirements(tree).map(shown)
}

const row = (id: string, ...cells: string[]): Record<string, string> => ({
  [id]: `| ${[id, ...cells].join(' | ')} |`,
})

const cited = '`src/a.test.ts: KT-1: it holds`'
const planned = 'planned: vhost: virtio devices served to QEMU'
const cases: [string, Record<string, string>, RegExp][] = [
  ['a row that is missing', { 'KT-1': '' }, /KT-1: it has no row/],
  ['a row too many', { 'KT-1': `${good('KT-1')}\n${good('KT-1')}` }, /KT-1: it has a row already/],
  [
    'an id that does not exist',
    { 'KT-1': `${good('KT-1')}\n| KT-99 | same | how | | ${planned} |` },
    /KT-99: the specification has no such id/,
  ],
  [
    'a class that does not exist',
    row('KT-1', 'alike', 'how', 'src/a.ts', cited),
    /its class must be/,
  ],
  [
    'an impossible class',
    row('KT-1', 'impossible', 'how', 'src/a.ts', cited),
    /does not call it impossible/,
  ],
  ['no how', row('KT-1', 'same', '', 'src/a.ts', cited), /say how/],
  ['a file that is not there', row('KT-1', 'same', 'how', 'src/b.ts', cited), /no file src\/b\.ts/],
  ['no file', row('KT-1', 'same', 'how', '', cited), /name the file/],
  ['no test', row('KT-1', 'same', 'how', 'src/a.ts', ''), /cite a test/],
  [
    'a test of another id',
    row('KT-1', 'same', 'how', 'src/a.ts', '`src/a.test.ts: KT-2: it holds`'),
    /does not name KT-1/,
  ],
  [
    'a test that is not there',
    row('KT-1', 'same', 'how', 'src/a.ts', '`src/a.test.ts: KT-1: else`'),
    /has no test 'KT-1: else'/,
  ],
  [
    'a part of a title',
    row('KT-1', 'same', 'how', 'src/a.ts', '`src/a.test.ts: KT-1: it`'),
    /has no test 'KT-1: it'/,
  ],
  [
    'a test file that is not there',
    row('KT-1', 'same', 'how', 'src/a.ts', '`src/b.test.ts: KT-1: it holds`'),
    /no file src\/b\.test\.ts/,
  ],
  [
    'a title with too many ids',
    row('KT-1', 'same', 'how', 'src/a.ts', '`src/a.test.ts: KT-1, KT-2, KT-3, KT-4`'),
    /names 4 ids/,
  ],
  [
    'a cell that is neither',
    row('KT-1', 'same', 'how', 'src/a.ts', `${cited}<br>later`),
    /'later' is neither/,
  ],
  [
    'an issue that does not exist',
    row('KT-1', 'same', 'how', 'src/a.ts', 'planned: Else'),
    /no issue 'Else'/,
  ],
]
describe('the check of the page of requirements', () => {
  test('has nothing against a page with a good row for each id', () => {
    assert.deepEqual(objections({}), [])
    assert.deepEqual(objections(row('VH-1', 'same', 'how', '', planned)), [])
    assert.deepEqual(
      objections(row('KT-8', 'same', 'how', 'src/a.ts', '`src/a.test.ts: KT-9, KT-8: both`')),
      [],
    )
    assert.deepEqual(
      objections(row('KT-7', 'same', 'how', 'src/a.ts', "`src/a.test.ts: KT-7: don't`")),
      [],
    )
  })

  for (const [what, changed, expected] of cases) {
    test(`objects to ${what}`, () => {
      const found = objections(changed)
      assert.equal(found.length, 1, found.join('\n'))
      assert.match(found[0] ?? '', expected)
      assert.match(found[0] ?? '', /^docs\/internals\/requirements\.md:\d+: /)
    })
  }

  test('objects to a page that is not there', () => {
    assert.equal(checkRequirements(treeOf({})).length, 1)
  })
})
