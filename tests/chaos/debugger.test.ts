/**
 * A debugger that attaches to a process with workers, as people do it: Node's own.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { Child, until } from './child.js'

interface Debugger {
  tell(line: string): void
  /** Waits until it has written that, behind what was waited for before. */
  saw(text: string): Promise<void>
}

function attach(t: TestContext, host: string): Debugger {
  const inspect = spawn(process.execPath, ['inspect', host], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => inspect.kill('SIGKILL'))
  let output = ''
  inspect.stdout.on('data', (text: Buffer) => (output += text.toString()))
  return {
    tell: (line) => inspect.stdin.write(`${line}\n`),
    saw: async (text) => {
      await until(`the debugger says '${text}'`, () => output.includes(text))
      output = output.slice(output.indexOf(text) + text.length)
    },
  }
}

describe('a process with idle and busy workers', () => {
  test('can be debugged: nothing hangs, and workers go on while it is halted [BUG-SIG-1]', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'userworker-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'beats')
    const beats = (): number => Number(readFileSync(file, 'utf8'))
    const goesOn = async (): Promise<void> => {
      const before = beats()
      await until('the busy worker goes on', () => beats() > before)
    }
    const child = new Child(t, './debugged.fixture.js', { args: [file] })
    const host = await child.says<string>('ready')
    const workers = async (): Promise<number[]> => {
      child.tell('work')
      return await child.says<number[]>('workers')
    }
    const before = await workers()
    assert.equal(before.length, 3)
    const inspect = attach(t, host)
    await inspect.saw('debug>')
    await goesOn()
    assert.deepEqual(await workers(), before)

    inspect.tell('pause')
    await inspect.saw('break in')
    const halted = workers()
    await goesOn()
    inspect.tell("exec('6 * 7')")
    await inspect.saw('42')
    inspect.tell('cont')
    assert.deepEqual(await halted, before)

    inspect.tell('.exit')
    await goesOn()
    assert.deepEqual(await workers(), before)
    child.tell('end')
    assert.equal(await child.says('end'), true)
    assert.deepEqual(await child.ended, [0, null], child.other)
  })
})
