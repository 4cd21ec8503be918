import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exportedNames } from './exported-names.js'

describe('the names that a module exports', () => {
  test('are those of its declarations and lists, types marked', async () => {
    const text = `
      export { a, b as c, type D } from './x.js'
      export type { E, F as G } from './x.js'
      export * as h from './x.js'
      export declare const i: number, j: string
      export declare function k(): void
      export declare function k(a: string): void
      export declare class L {}
      export interface M {}
      export type N = M
      export enum O {}
      export default 1
      declare const hidden: number
      // export { comment }
      export {}`
    const names = 'D E G M N'.split(' ').map((name) => `type ${name}`)
    assert.deepEqual(
      await exportedNames(text),
      [...'a c default h i j k L O'.split(' '), ...names].sort(),
    )
  })

  test('are not guessed where the text does not tell', async () => {
    await assert.rejects(exportedNames("export * from './x.js'"), /name what is exported/)
  })
})
