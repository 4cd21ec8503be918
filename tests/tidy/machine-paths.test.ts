import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkMachinePaths } from './machine-paths.js'
import { shown, treeOf } from './tree.js'

/** Put together here, or the check would object to this file. */
const path = (...names: string[]): string => ['', ...names].join('/')
const project = path('builds', 'ada', 'project')

const found = (text: string): string[] =>
  checkMachinePaths(treeOf({ 'a.md': text }), project).map(shown)

describe("the check of one machine's paths", () => {
  test('objects to folders of people and to where the project lies', () => {
    for (const place of [
      path('home', 'ada', 'project'),
      path('Users', 'ada'),
      path('root', '.cache'),
      ['C:', 'Users', 'ada'].join('\\'),
      ['c:', 'Users', 'ada'].join('\\\\'),
      project,
      `${project}/src`,
      `file://${project}/src/a.ts`,
    ]) {
      for (const text of [place, `see ${place}.`, `'${place}'`, `(${place})`, `x=${place}:y`]) {
        const [first = 'no violation', ...more] = found(`\n${text}\n`)
        assert.match(first, /^a\.md:2: .* is a path of one machine: /, text)
        assert.deepEqual(more, [])
      }
    }
  })

  test('lets other paths pass', () => {
    for (const text of [
      '/proc/self/stat, /sys/fs/cgroup, /tmp/x, /etc/passwd, /dev/null',
      `https://example.org${path('home', 'ada')} src${path('root', 'x')}`,
      `${project}-2/src ./builds/ada/project`,
      '~/project, $HOME/project, the /root, /home',
    ])
      assert.deepEqual(found(text), [], text)
  })

  test('does not object to a word because the project lies in a folder of that name', () => {
    assert.deepEqual(checkMachinePaths(treeOf({ 'a.md': 'mount /app there' }), '/app'), [])
  })
})
