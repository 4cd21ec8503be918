import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { mappingsIn, sample } from './measures.js'

const skip = process.platform === 'linux' ? false : 'needs /proc'

describe('mappings', () => {
  test('are counted but for anonymous ones of whole pages of V8', () => {
    const [page, name] = ['7f0000040000-7f0000080000', '/usr/bin/node']
    const counted = [
      `${page} r--p 00000000 08:01 77                         ${name}`,
      '7f0000041000-7f0000081000 rw-p 00000000 00:00 0 ',
      '7f0000040000-7f0000081000 rw-p 00000000 00:00 0 ',
      '7f0000040000-7f0000041000 ---p 00000000 00:00 0 ',
      '7ffe00000000-7ffe00040000 rw-p 00000000 00:00 0                          [stack]',
    ]
    const pages = [
      `${page} rw-p 00000000 00:00 0 `,
      `${page} ---p 00000000 00:00 0 `,
      '7f0000040000-7f0000100000 rw-p 00000000 00:00 0 ',
    ]
    assert.equal(mappingsIn([...counted, ...pages, ''].join('\n')), counted.length)
    for (const line of counted) assert.equal(mappingsIn(line), 1, line)
    for (const line of pages) assert.equal(mappingsIn(line), 0, line)
  })

  test(
    "of a thread are there while it runs: its stack, with the guard's page",
    { skip },
    async () => {
      const before = mappingsIn(readFileSync('/proc/self/maps', 'utf8'))
      const thread = new Worker('setInterval(() => {}, 1000)', { eval: true })
      await once(thread, 'online')
      const during = mappingsIn(readFileSync('/proc/self/maps', 'utf8'))
      await thread.terminate()
      assert.ok(during >= before + 2, `${before}, ${during}`)
    },
  )
})

describe('a sample', () => {
  test('has a number for each measure', { skip }, async () => {
    for (const [measure, value] of Object.entries(await sample()))
      assert.ok(Number.isFinite(value) && value >= 0, measure)
  })
})
