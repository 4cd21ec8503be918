/**
 * A guest that is killed in the midst of its writes; `tests/qemu/` does the same to QEMU, and to the
 * process that serves the disk.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { serveDisk, type ServedDisk } from 'userworker/vhost'
import { Child, pause } from './child.js'
import { diceOf, freshSeed } from './dice.js'

const [sectors, kills] = [64, 5]

test('a guest that is killed amid writes leaves whole sectors, and the next one finds the disk', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'userworker-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [image, socket] = [join(folder, 'image'), join(folder, 'socket')]
  writeFileSync(image, '')
  truncateSync(image, sectors * 512)
  let disk: ServedDisk
  try {
    disk = await serveDisk(image, { socket })
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOTSUP') throw error
    return t.skip((error as Error).message)
  }
  const seed = freshSeed()
  const dice = diceOf(seed)
  let round = 1
  try {
    for (let kill = 0; kill < kills; kill++) {
      const args = [socket, sectors, round].map(String)
      const guest = new Child(t, './killed-guest.fixture.js', { args })
      const answered = await guest.says<number>('round')
      await pause(dice(50))
      guest.process.kill('SIGKILL')
      assert.deepEqual(await guest.ended, [null, 'SIGKILL'], guest.other)
      // The next one comes while what was under way may still be written.
      round = answered + 1_000_000
    }
  } finally {
    await disk.close()
  }
  const words = new Uint32Array(Uint8Array.from(readFileSync(image)).buffer)
  const values = Array.from({ length: sectors }, (_, at) =>
    words.subarray(at * 128, at * 128 + 128),
  )
  for (const [at, sector] of values.entries())
    assert.ok(new Set(sector).size === 1, `seed ${seed}: sector ${at} is of two writes`)
  const oldest = Math.min(...values.map(([first = 0]) => first))
  assert.ok(oldest >= round - 1_000_000, `seed ${seed}: what was answered is there, or newer`)
  t.diagnostic(`seed ${seed}: ${kills} kills, the last one in round ${oldest}`)
})
