/**
 * The simulation of the disk can fail, and repeats itself.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { noticedBy } from '../mutant.js'
import { disk, worldOf } from './index.js'
import { mutants } from './mutants.js'

const mostSeeds = 500

describe('the simulation of the disk', () => {
  test('does the same again for the same seed', async () => {
    for (const seed of [3, 4]) assert.deepEqual(await disk.run(seed), await disk.run(seed))
  })

  for (const mutant of mutants) {
    test(`finds: ${mutant.breaks}`, async (t) => {
      const seed = await noticedBy(worldOf(mutant), mutant.seed, mostSeeds)
      assert.notEqual(seed, null, `not in ${mostSeeds} seeds`)
      t.diagnostic(`seed ${seed}`)
    })
  }
})
