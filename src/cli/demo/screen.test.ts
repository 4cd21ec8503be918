import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { run } from '../command-line.fixture.js'
import { manyFiles, noise, plant, runDemo, startDemo } from './demo.fixture.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'

checkForLeaks()

const skip = run('script', ['--version']).code === 0 ? false : 'needs script of util-linux'

const terminal = { columns: 60, rows: 20 }
const tree = { ...manyFiles(60, 40_000), [`big \x1b[31m${'long '.repeat(20)}`]: noise(12_000_000) }

/** What a terminal has to do besides showing characters. */
// oxlint-disable-next-line no-control-regex
const controls = /\x1b\[[?\d;]*[A-Za-z]/g

describe('userworker demo on a terminal', { skip }, () => {
  test('shows a bar, and a table of the workers with their thread and their work', async (t) => {
    const { code, stdout } = await runDemo(t, [plant(t, tree), '--workers', '2'], { terminal })
    assert.equal(code, 0)
    const text = stdout.replace(controls, '\r')
    assert.match(text, /round 1 of 4, 2 workers \[[=-]{5,}\] +\d+% \d+\/61 files/)
    assert.match(text, /^\s*WORKER +TID +STATE +CPU +WORK/m)
    assert.match(text, /press-1 +\d+ +busy +\d+\.\d\d s +(press|record) [^ ]/)
    assert.match(text, /press-2 +\d+ +(idle|busy) +\d+\.\d\d s +/)
    assert.match(
      text
        .trimEnd()
        .split(/[\r\n]+/)
        .at(-1) ?? '',
      /^demo: ok files=61 mismatches=0 /,
    )
  })

  test('draws no line longer than the terminal is wide, and cleans names of files', async (t) => {
    const { stdout } = await runDemo(t, [plant(t, tree)], { terminal })
    const drawn = stdout.slice(stdout.indexOf('WORKER'), stdout.indexOf('round 1 of 4, unpack'))
    const lines = drawn.replace(controls, '\r').split(/[\r\n]+/)
    assert.deepEqual(
      lines.filter((line) => line.startsWith(' press-') && line.length > terminal.columns),
      [],
    )
    assert.ok(lines.some((line) => line.startsWith(' press-') && line.endsWith('…')))
    assert.ok(!stdout.includes('\x1b[31m'))
    assert.ok(drawn.includes('big ?[31mlong'))
  })

  test('shows as many workers as there is room for', async (t) => {
    const small = { columns: 60, rows: 6 }
    const args = [plant(t, tree), '--workers', '8']
    const { code, stdout } = await runDemo(t, args, { terminal: small })
    assert.match(stdout, /and [5-7] more/)
    // A drawing begins where the cursor goes back up. Three lines are left for workers, or for two and how many more.
    // oxlint-disable-next-line no-control-regex
    for (const drawing of stdout.split(/\u001b\[\d+A/)) {
      assert.ok((drawing.match(/ press-\d+ /g) ?? []).length <= 3, drawing)
    }
    assert.equal(code, 0)
  })

  test('gives the cursor back at the end', async (t) => {
    assertRestored((await runDemo(t, [plant(t, tree)], { terminal })).stdout)
  })

  test('gives the cursor back after Ctrl-C, and says what happened', async (t) => {
    for (const moment of ['round 1 of 4', 'round 2 of 4, the main']) {
      const demo = startDemo(t, [plant(t, { big: noise(30_000_000) })], { terminal })
      await demo.printed(moment)
      await wait(200)
      demo.child.stdin.write('\x03')
      const { code, stdout, left } = await demo.ended
      assertRestored(stdout)
      assert.match(stdout, /userworker: interrupted by SIGINT: .*no output is left\r\n$/)
      assert.deepEqual({ code, left }, { code: 130, left: [] })
    }
  })

  test('leaves nothing when its terminal goes away', async (t) => {
    const demo = startDemo(t, [plant(t, { big: noise(30_000_000) })], { terminal })
    await demo.printed('round 1 of 4')
    await wait(200)
    assert.equal(readdirSync(demo.scratch).length, 1)
    demo.child.kill('SIGKILL')
    for (let tries = 0; tries < 300 && readdirSync(demo.scratch).length > 0; tries++) await wait(50)
    assert.deepEqual(readdirSync(demo.scratch), [])
  })
})

/** The cursor is shown, and long lines wrap. */
function assertRestored(stdout: string): void {
  for (const [on, off] of [
    ['\x1b[?25h', '\x1b[?25l'],
    ['\x1b[?7h', '\x1b[?7l'],
  ] as const) {
    assert.ok(stdout.includes(off))
    assert.ok(stdout.lastIndexOf(on) > stdout.lastIndexOf(off))
  }
}
