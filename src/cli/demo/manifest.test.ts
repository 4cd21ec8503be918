import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { manifestLine, readManifest } from './manifest.js'
import { asName } from './path.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'

checkForLeaks()

const sum = 'a0'.repeat(32)

describe('a manifest', () => {
  test('has a line for each file, with names escaped as sha256sum does', () => {
    assert.equal(manifestLine(sum, asName('a b')), `${sum}  a b\n`)
    assert.equal(manifestLine(sum, asName('a\\b\nc\rd')), `\\${sum}  a\\\\b\\nc\\rd\n`)
  })

  test('gives back every name', () => {
    const names = ['a', ' b ', 'c\nd', 'e\\nf', '\\', '\r', '\xff', '*g', '\\\\n\n']
    const text = names.map((name) => manifestLine(sum, asName(name))).join('')
    const { sums, bad } = readManifest(text)
    assert.deepEqual(
      [...sums],
      names.map((name) => [name, [sum]]),
    )
    assert.equal(bad, 0)
  })

  test('tells names that stand there twice, and lines that say nothing', () => {
    const line = manifestLine(sum, asName('a'))
    assert.deepEqual(readManifest(line + line).sums.get('a'), [sum, sum])
    assert.equal(readManifest(`${line}\n`).bad, 1)
    assert.equal(readManifest(line.slice(1)).bad, 1)
    assert.equal(readManifest(line.trimEnd()).bad, 1)
    assert.equal(readManifest('').bad, 0)
  })
})
