import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkFileLengths, checkFunctionLengths, checkLineLengths } from './sizes.js'
import { shown, treeOf, type Check } from './tree.js'

const found = async (check: Check, text: string, path = 'src/a.ts'): Promise<string[]> =>
  (await check(treeOf({ [path]: text }))).map(shown)

describe('the check of sizes', () => {
  test('objects to a file of more than 400 lines, wherever it is', async () => {
    assert.deepEqual(await found(checkFileLengths, 'x\n'.repeat(400)), [])
    for (const path of ['src/a.ts', 'tests/a.test.ts', 'scripts/a.mjs']) {
      const message = `${path}:401: 401 lines, more than 400: give a part of it a file of its own`
      assert.deepEqual(await found(checkFileLengths, 'x\n'.repeat(401), path), [message])
    }
    assert.deepEqual(await found(checkFileLengths, 'x\n'.repeat(401), 'docs/a.md'), [])
  })

  test('objects to a line of more than 120 columns', async () => {
    assert.deepEqual(await found(checkLineLengths, `// ${'é'.repeat(117)}\n`), [])
    const message = 'src/a.ts:2: 121 columns, more than 120: break the line'
    assert.deepEqual(await found(checkLineLengths, `\n// ${'é'.repeat(118)}\n`), [message])
    assert.deepEqual(await found(checkLineLengths, 'x'.repeat(121), 'README.md'), [])
  })

  test('objects to a function of more than 70 lines, of whatever kind', async () => {
    for (const [head, tail] of [
      ['function f() {', '}'],
      ['export default async function* () {', '}'],
      ['const f = (a: string): void => {', '}'],
      ['const o = { f() {', '} }'],
      ['class C { #f(): { a: string } {', '} }'],
      ['class C { constructor() {', '} }'],
      ['class C { get f() {', '} }'],
      ["test('x', () => {", '})'],
    ] as const) {
      const long = (lines: number): string =>
        `\n/** f */\n${head}\n${'x()\n'.repeat(lines - 2)}${tail}`
      assert.deepEqual(await found(checkFunctionLengths, long(70)), [], head)
      const message = 'src/a.ts:3: a function of 71 lines, more than 70: divide it'
      assert.deepEqual(await found(checkFunctionLengths, long(71)), [message])
    }
  })

  test('counts each test of a group, not the group', async () => {
    const text = `describe('x', () => {\n${"test('y', () => {\n})\n".repeat(40)}})`
    assert.deepEqual(await found(checkFunctionLengths, text), [])
    const tests = "test('z', () => {\n})\n".repeat(40)
    const loop = `function suite() {\nfor (const x of y) {\n${tests}}\n}`
    assert.deepEqual(await found(checkFunctionLengths, loop), [])
    const rest = `describe('x', () => {\ntest('y')\n${'z()\n'.repeat(70)}})`
    assert.match((await found(checkFunctionLengths, rest)).join(), /:1: a function of 72 lines/)
    const long = `describe('x', () => {\n  test('y', async () => {\n${'x()\n'.repeat(69)}  })\n})`
    assert.match(
      (await found(checkFunctionLengths, long)).join(),
      /^src\/a\.ts:2: a function of 71 lines/,
    )
  })

  test('does not take a long class or table for a function', async () => {
    const members = 'm() {}\n'.repeat(80)
    const text = `class C {\n${members}}\nconst t = [\n${'1,\n'.repeat(80)}]\nif (x) {\n${'y()\n'.repeat(80)}}`
    assert.deepEqual(await found(checkFunctionLengths, text), [])
  })
})
