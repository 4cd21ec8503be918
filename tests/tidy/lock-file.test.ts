import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkLockFile } from './lock-file.js'
import { shown, treeOf } from './tree.js'

const lock = (facts: Record<string, unknown>): string =>
  JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0', ...facts } } }, null, 1)

const found = (files: Record<string, string>): string[] => checkLockFile(treeOf(files)).map(shown)

describe('the check of the lock file', () => {
  test('lets what is installed pass, and pages about it', () => {
    const text = lock({
      integrity: 'sha512-abc//def+w==',
      bin: { a: 'bin/a.js' },
      funding: [{ url: 'https://example.org/pay' }],
      deprecated: 'see https://example.org',
      dependencies: { b: '^1.0.0', '@scope/c': 'npm:d@^1' },
      engines: { node: '>=20 || <1' },
    })
    assert.deepEqual(found({ 'package-lock.json': text }), [])
  })

  test('objects to every address of a package, in every lock file', () => {
    const url = 'https://registry.example.org/a/-/a-1.0.0.tgz'
    for (const path of ['package-lock.json', 'bench/package-lock.json']) {
      const [first = '', ...more] = found({ [path]: lock({ resolved: url }) })
      assert.ok(first.startsWith(`${path}:5: 'resolved' names a registry: `), first)
      assert.deepEqual(more, [])
    }
    for (const facts of [{ version: url }, { dependencies: { b: `git+ssh://git@example.org/b` } }])
      assert.match(found({ 'package-lock.json': lock(facts) }).join(), /names a host/)
  })

  test('objects to a registry chosen for everybody', () => {
    for (const line of ['registry=https://example.org', '@scope:registry = //example.org'])
      assert.match(
        found({ '.npmrc': `fund=false\n${line}\n` }).join(),
        /^\.npmrc:2: names a registry/,
      )
    assert.deepEqual(found({ '.npmrc': 'omit-lockfile-registry-resolved=true\n' }), [])
  })
})
