import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('./main.js', import.meta.url))

/** Runs the command in a process of its own: what nobody hears of is the simulation's to judge. */
async function sim(...args: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return { code: code as number, output }
}

interface Report {
  readonly worlds: readonly { readonly digest: string; readonly faulty: readonly string[] }[]
}

describe('the simulated worlds', () => {
  test('answer as their models do for 500 seeds, with every fault and edge [INV-IOWQ-4, INV-IOWQ-5]', async (t) => {
    const { code, output } = await sim('--seeds', '500', '--json')
    const { worlds } = JSON.parse(output) as Report
    t.diagnostic(JSON.stringify(worlds))
    assert.deepEqual(
      worlds.flatMap(({ faulty }) => faulty),
      [],
    )
    assert.equal(code, 0)
  })

  test('are the same for the same seeds, step by step', async () => {
    const digests = async (): Promise<string[]> => {
      const { output } = await sim('--seeds', '2', '--from', '4000', '--json')
      return (JSON.parse(output) as Report).worlds.map(({ digest }) => digest)
    }
    assert.deepEqual(await digests(), await digests())
  })

  test('tell each step of a seed that is replayed', async () => {
    const { code, output } = await sim('77')
    assert.equal(code, 0, output.slice(-2000))
    assert.ok(output.split('\n').length > 200)
  })

  test('notice it when the library is broken', async () => {
    const { code, output } = await sim('--mutants')
    assert.equal(code, 0, output)
  })
})
