import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkLinks } from './links.js'
import { shown, treeOf } from './tree.js'

const page = `# The page

## Two words, and \`code()\`!
## Twice
## Twice
### A [link](b.md) & a_b
<a id="by-hand"></a>
Underlined
----------
`

const found = (text: string): string[] =>
  checkLinks(
    treeOf({
      'README.md': text,
      'docs/page.md': page,
      'docs/b.md': '[up](../README.md)',
      'src/a.ts': 'one\ntwo\n',
      'a (b).md': '',
      'a b.md': '',
    }),
  ).map(shown)

describe('the check of links', () => {
  test('lets links pass that lead somewhere', () => {
    for (const text of [
      '[a](docs/page.md), [b](./docs/page.md#the-page) and ![c](src/a.ts "title")',
      '[a](docs) [b](docs/) [c](.)',
      '[a](docs/page.md#two-words-and-code) [b](docs/page.md#twice) [c](docs/page.md#twice-1)',
      '[a](docs/page.md#a-link--a_b) [b](docs/page.md#by-hand) [c](docs/page.md#underlined)',
      '# Here\n[a](#here)',
      '[a](src/a.ts#L2) [b](src/a.ts#L1-L2)',
      '[a](a%20b.md) [b](<a b.md>) [c](a%20(b).md)',
      '[a]: docs/page.md\n[b]: <docs/page.md#twice> "title"',
      '<a href="docs/page.md">a</a> <img src="src/a.ts">',
      '[a](https://example.org/gone.md) [b](mailto:a@example.org) [c](//example.org)',
      '`[a](gone.md)` ``[a](`gone.md)``',
      '```md\n[a](gone.md)\n```\n~~~\n[a](gone.md)\n```\n~~~',
      '<!-- [a](gone.md)\n[a](gone.md) -->',
      '[^1]: a note',
    ])
      assert.deepEqual(found(text), [], text)
  })

  test('objects to links that lead to no file', () => {
    for (const link of [
      '[a](gone.md)',
      'x [a](docs/gone.md#the-page) y',
      '![a](gone.png "title")',
      '[![a](docs/page.md)](gone.md)',
      '[a]: gone.md',
      '<a class="x" href="gone.md">',
      '[a](Docs/page.md)',
      '[a](page.md)',
      '[a]()',
    ]) {
      const [first = 'no violation', ...more] = found(`\n${link}\n`)
      assert.match(first, /^README\.md:2: a link /, link)
      assert.deepEqual(more, [])
    }
  })

  test('objects to links that lead to no heading', () => {
    for (const link of [
      'docs/page.md#gone',
      '#gone',
      'docs/page.md#twice-2',
      'src/a.ts#L9',
      'docs#x',
    ])
      assert.match(
        found(`[a](${link})`).join(),
        /^README\.md:1: a link to #\S+ of .* no such heading/,
      )
  })

  test('objects to links that a published page cannot follow', () => {
    assert.match(found('[a](/docs/page.md)').join(), /write the path from this file's folder/)
    assert.match(found('[a](../other/page.md)').join(), /out of the project/)
  })

  test('sees a link behind a fenced block and behind code', () => {
    const text = '```js\na\n```\n`b` [a](gone.md)\n'
    assert.match(found(text).join(), /^README\.md:4: /)
  })
})
