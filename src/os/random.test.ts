import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { freshSeed, seeded } from './random.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

const draw = (seed: number): number[] => {
  const next = seeded(seed)
  return Array.from({ length: 1000 }, () => next(10))
}

describe('chance', () => {
  test('comes again with the same seed, and not with another', () => {
    assert.deepEqual(draw(7), draw(7))
    assert.notDeepEqual(draw(7), draw(8))
  })

  test('gives every number below the bound about as often', () => {
    const seed = freshSeed()
    const counts = Array.from(
      { length: 10 },
      (_, number) => draw(seed).filter((each) => each === number).length,
    )
    // 1,000 draws in 10 bins: 100 each, standard deviation 9.5; seven of them never happen by
    // chance.
    for (const count of counts)
      assert.ok(Math.abs(count - 100) < 67, `seed ${seed}: ${counts.join(' ')}`)
  })

  test('a fresh seed is a whole number of 32 bits', () => {
    const seed = freshSeed()
    assert.ok(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)
  })
})
