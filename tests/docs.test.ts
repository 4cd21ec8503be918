import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { complaintOf, runNode } from './consumer.js'
import { runCodeOf } from './doc-code.js'
import { documentOf } from './markdown.js'
import { root } from './root.js'
import { readTree } from './tidy/tree.js'

describe('the documentation', () => {
  const tree = readTree(root)
  const documents = [...tree].filter(([path]) => /^(README\.md|docs\/.*\.md)$/.test(path))

  for (const [path, text] of documents) {
    const runs = documentOf(text).blocks.filter(({ info }) => / run\b/.test(info)).length
    test(`${path}: its code runs and prints what the page says (${runs} programs)`, async (t) => {
      const problems = await runCodeOf(t, path, text)
      if (problems.length > 0) assert.fail(`\n${problems.join('\n')}\n`)
    })
  }

  test('begins with a README whose code runs', () => {
    const readme = documentOf(tree.get('README.md') ?? '')
    assert.ok(readme.blocks.some(({ info }) => / run\b/.test(info)))
  })
})

describe('the examples', () => {
  const folder = join(root, 'build', 'examples')
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.js')) : []

  test('are there', () => {
    assert.notDeepEqual(files, [])
  })

  for (const file of files) {
    test(`examples/${file.replace(/\.js$/, '.ts')} ends within a minute, with exit code 0`, async () => {
      assert.equal(complaintOf(await runNode(folder, [file])), '')
    })
  }
})
