import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Course } from './course.js'
import { freshFolder, manyFiles, plant } from './demo.fixture.js'
import { bytePath } from './path.js'
import type { Phase, View } from './view.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'

checkForLeaks()

/** Runs the demo here, and does something when a line or a phase says this. */
async function run(
  t: TestContext,
  tree: string,
  when: string,
  act: (round: string) => void,
): Promise<{ code: number; lines: string[] }> {
  const place = freshFolder(t)
  const lines: string[] = []
  const hear = (line: string): void => {
    if (!line.startsWith(when)) return
    const [scratch = ''] = readdirSync(place)
    act(join(place, scratch, 'round-1'))
  }
  const view: View = {
    say: (...said) => {
      lines.push(...said)
      for (const line of said) hear(line)
    },
    begin: ({ title }: Phase) => hear(title),
    advance: () => {},
    end: () => {},
  }
  const wish = { source: bytePath(tree), place, workers: 2 }
  const code = await new Course(wish, view, new AbortController().signal).run()
  return { code, lines }
}

const pressed = 'round 1 of 4, 2 workers: ' // the manifests are read next
const unpacking = 'round 1 of 4, unpacking'

const damages: Record<string, [when: string, act: (round: string) => void, found: RegExp]> = {
  'a pressed file that is another': [
    unpacking,
    (round) => writeFileSync(join(round, 'files/a.gz'), gzipSync('other')),
    /a: unpacked: its sum is another$/,
  ],
  'a pressed file that was cut off': [
    unpacking,
    (round) => writeFileSync(join(round, 'files/a.gz'), gzipSync('a').subarray(0, -3)),
    /a: unpacked: unexpected end of file$/,
  ],
  'a pressed file that is missing': [
    unpacking,
    (round) => rmSync(join(round, 'files/b/c.gz')),
    /b\/c: unpacked: ENOENT: no such file or directory$/,
  ],
  'a line that stands there twice': [
    pressed,
    (round) => appendFileSync(join(round, 'sums/b/SHA256SUMS'), `${'0'.repeat(64)}  c\n`),
    /b\/c: 2 times in its manifest$/,
  ],
  'a line with another sum': [
    pressed,
    (round) => writeFileSync(join(round, 'sums/b/SHA256SUMS'), `${'0'.repeat(64)}  c\n`),
    /b\/c: its sum in the manifest is another$/,
  ],
  'a line for no file': [
    pressed,
    (round) => appendFileSync(join(round, 'sums/b/SHA256SUMS'), `${'0'.repeat(64)}  d\n`),
    /b\/SHA256SUMS: 1 names and 0 lines that do not belong there$/,
  ],
  'a manifest that is missing': [
    pressed,
    (round) => rmSync(join(round, 'sums/b/SHA256SUMS')),
    /b\/c: its manifest: ENOENT: no such file or directory$/,
  ],
}

describe('the course of the demo', () => {
  for (const [damage, [when, act, found]] of Object.entries(damages)) {
    test(`finds ${damage}`, async (t) => {
      const { code, lines } = await run(t, plant(t, { a: 'a', 'b/c': 'c' }), when, act)
      assert.match(lines.at(-1) ?? '', /^demo: failed files=2 mismatches=1 workers=2 speedup=/)
      const at = lines.indexOf('mismatches: 1')
      assert.match(lines[at + 1] ?? '', /^ {2}round 1 of 4: /)
      assert.match(lines[at + 1] ?? '', found)
      assert.equal(code, 1)
    })
  }

  test('names 20 mismatches, and the number of the others', async (t) => {
    const tree = plant(t, manyFiles(30, 10))
    const { lines } = await run(t, tree, pressed, (round) =>
      rmSync(join(round, 'sums/'), { recursive: true }),
    )
    const at = lines.indexOf('mismatches: 30')
    assert.equal(lines[at + 21], '  and 10 more')
    assert.match(lines.at(-1) ?? '', /^demo: failed files=30 mismatches=30 /)
  })

  test('does not take a file that somebody changed for a mismatch, but names it', async (t) => {
    const changes: Record<string, (file: string) => void> = {
      'another size or time': (file) => appendFileSync(file, 'more'),
      'ENOENT: no such file or directory': (file) => rmSync(file),
      // Same size, other content, and then the time tells.
      'another size or time ': (file) => {
        writeFileSync(file, 'x')
        utimesSync(file, 1, 1)
      },
    }
    for (const when of ['sums, without', 'round 1 of 4, 2 workers', 'round 2 of 4, the main'])
      for (const [how, change] of Object.entries(changes)) {
        if (when.startsWith('sums') && how.startsWith('ENOENT')) continue // that one cannot be read
        const tree = plant(t, { a: 'a', 'b/c': 'c' })
        const file = join(tree, 'b/c')
        const { code, lines } = await run(t, tree, when, () => once(file, change))
        const at = lines.findIndex((line) => line.startsWith('changed by others meanwhile'))
        assert.equal(lines[at + 1], `  b/c (${how.trim()})`)
        assert.match(lines.at(-1) ?? '', /^demo: ok files=2 mismatches=0 /)
        assert.equal(code, 0)
      }
  })
})

const done = new Set<string>()

function once(file: string, change: (file: string) => void): void {
  if (done.has(file)) return
  done.add(file)
  change(file)
}
