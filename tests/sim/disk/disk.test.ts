/**
 * The simulation of the disk can fail, and repeats itself.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { disk, worldOf } from './index.js'
import { mutants } from './mutants.js'

const mostSeeds = 500

describe('the simulation of the disk', () => {
  test('does the same again for the same seed', async () => {
    for (const seed of [3, 4]) assert.deepEqual(await disk.run(seed), await disk.run(seed))
  })

  for (const mutant of mutants) {
    test(`finds: ${mutant.name}`, async () => {
      const world = worldOf(mutant)
      for (let seed = 1; seed <= mostSeeds; seed++)
        if ((await world.run(seed)).divergences.length > 0) return
      assert.fail(`not in ${mostSeeds} seeds`)
    })
  }
})
