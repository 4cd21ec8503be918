import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { freshFolder, manyFiles, noise, plant, startDemo } from './demo.fixture.js'
import { until } from '../../os/own-thread.fixture.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'

checkForLeaks()

const manyBytes = noise(8_000_000)

/** Rounds of a second and more: whatever the machine does, they have not ended when the signal comes. */
const longTree = { ...manyFiles(240, 40_000), big: noise(18_000_000) }

const moments = {
  'the walk': 'walking',
  'the sums': 'sums, without the library',
  'a round with workers': 'round 1 of 4, 2 workers\n',
  'the comparison': 'round 1 of 4, unpacking and comparing\n',
  'a round on the main thread': 'round 2 of 4, the main thread alone\n',
}

describe('Ctrl-C', () => {
  for (const [moment, line] of Object.entries(moments)) {
    test(`during ${moment} ends with 130, and nothing is left`, async (t) => {
      const demo = startDemo(t, [plant(t, longTree), '--workers', '2'])
      await demo.printed(line)
      if (moment.includes('round')) await wait(150)
      demo.child.kill('SIGINT')
      const { code, stdout, stderr, left } = await demo.ended
      assert.match(stderr, /^userworker: interrupted by SIGINT: .*no output is left\n$/)
      assert.deepEqual({ code, left }, { code: 130, left: [] })
      assert.doesNotMatch(stdout, /^demo:/m)
      if (moment.includes('workers')) assert.match(stderr, /\d+ pending works cancelled, \d+ run/)
    })
  }

  test('is SIGTERM too, with 143', async (t) => {
    const demo = startDemo(t, [plant(t, longTree)])
    await demo.printed('round 1 of 4')
    demo.child.kill('SIGTERM')
    const { code, stderr, left } = await demo.ended
    assert.match(stderr, /^userworker: interrupted by SIGTERM: /)
    assert.deepEqual({ code, left }, { code: 143, left: [] })
  })

  test('leaves --out as it was found', async (t) => {
    const there = freshFolder(t)
    for (const out of [there, join(there, 'new', 'er')]) {
      const demo = startDemo(t, [plant(t, longTree), '--out', out])
      await demo.printed('round 1 of 4')
      demo.child.kill('SIGINT')
      assert.equal((await demo.ended).code, 130)
      assert.deepEqual(readdirSync(there), [])
    }
  })

  test('twice within an instant, as npx passes it on, is one', async (t) => {
    const demo = startDemo(t, [plant(t, longTree)])
    await demo.printed('round 2 of 4, the main thread alone\n')
    demo.child.kill('SIGINT')
    demo.child.kill('SIGTERM')
    const { stderr, left } = await demo.ended
    assert.match(stderr, /^userworker: interrupted by SIG(INT|TERM): .*no output is left\n$/)
    assert.deepEqual(left, [])
  })

  test('a second time ends it at once, with 130, and says what is left', async (t) => {
    // Sixteen threads for two processors: none is through with its chunk when the second one comes.
    const tree = Object.fromEntries(Array.from({ length: 16 }, (_, name) => [name, manyBytes]))
    const demo = startDemo(t, [plant(t, tree), '--workers', '16'])
    const pressed = (): string[] =>
      readdirSync(demo.scratch, { encoding: 'utf8', recursive: true }).filter((path) =>
        path.endsWith('.gz'),
      )
    await until('many press', () => pressed().length >= 8)
    demo.child.kill('SIGINT')
    // Those that come too soon are passed over, and one that comes while another waits is lost.
    const again = setInterval(() => demo.child.kill('SIGINT'), 30)
    t.after(() => clearInterval(again))
    const { code, stderr, left } = await demo.ended
    assert.match(stderr, /^userworker: ended by a second SIGINT; output is left behind: .*\n$/)
    assert.deepEqual({ code, left: left.length }, { code: 130, left: 1 })
  })

  test('a reader of the output that goes away ends it, and nothing is left', async (t) => {
    const demo = startDemo(t, [plant(t, longTree)])
    await demo.printed('round 1 of 4')
    demo.child.stdout.destroy()
    const { left } = await demo.ended
    assert.deepEqual(left, [])
  })
})
