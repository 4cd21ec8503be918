import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkSoleUsers } from './sole-users.js'
import { shown, treeOf } from './tree.js'

const found = async (text: string, path = 'src/wq/a.ts'): Promise<string[]> =>
  (await checkSoleUsers(treeOf({ [path]: text }))).map(shown)

/** Each line alone, and all at once, is objected to everywhere but in its place. */
async function belongsTo(place: string, lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const alone = await found(line)
    assert.equal(alone.length, 1, `${line}: ${alone.join('; ')}`)
    assert.match(alone.join(), new RegExp(`^src/wq/a\\.ts:1: .* is for ${place} alone: `))
    assert.deepEqual(await found(line, place.endsWith('/') ? `${place}a.ts` : place), [], line)
  }
  const numbers = (await found(lines.join('\n'))).map((each) => Number(each.split(':')[1]))
  assert.deepEqual(
    numbers,
    lines.map((_, index) => index + 1),
  )
}

describe('the check of sole users', () => {
  test('keeps Atomics for os/memory.ts', async () => {
    await belongsTo('src/os/memory.ts', [
      'Atomics.load(words, 0)',
      'export const { add } = Atomics',
      'const own = { Atomics }',
      'globalThis.Atomics.load(words, 0)',
      "globalThis['Atomics']",
      'const { Atomics: all } = globalThis',
      'const text = `${Atomics}`',
      'let x: typeof Atomics',
    ])
  })

  test('keeps threads for os/thread.ts', async () => {
    await belongsTo('src/os/thread.ts', [
      "import { Worker } from 'node:worker_threads'",
      "import { Worker } from 'worker_threads'",
      "import type { Worker } from 'node:worker_threads'",
      "export * from 'node:worker_threads'",
      "let x: import('node:worker_threads').Worker",
      "await import('node:worker_threads')",
      "process.getBuiltinModule('worker_threads')",
      'createRequire(import.meta.url)(`node:worker_threads`)',
    ])
  })

  test('keeps koffi for os/koffi.ts', async () => {
    await belongsTo('src/os/koffi.ts', [
      "import('koffi')",
      "import type { Lib } from 'koffi'",
      "createRequire(import.meta.url)('koffi')",
    ])
  })

  test('keeps time for os/clock.ts', async () => {
    await belongsTo('src/os/clock.ts', [
      'Date.now()',
      'new Date()',
      'performance.now()',
      'globalThis.performance.now()',
      'setTimeout(run, 1)',
      'const later = setInterval',
      'setImmediate(run)',
      'process.hrtime.bigint()',
      'const { hrtime } = process',
      "import { hrtime } from 'node:process'",
      'AbortSignal.timeout(5)',
      "import { setTimeout as sleep } from 'node:timers/promises'",
      "import timers from 'node:timers'",
      "import * as hooks from 'perf_hooks'",
    ])
  })

  test('keeps chance for os/random.ts', async () => {
    await belongsTo('src/os/random.ts', [
      'Math.random()',
      "Math['random']()",
      'const { random } = Math',
      'const { random: chance } = Math',
      "import { randomBytes } from 'node:crypto'",
      "import { randomInt as dice } from 'crypto'",
      'crypto.randomUUID()',
      'crypto.getRandomValues(new Uint8Array(1))',
      'crypto.webcrypto',
    ])
  })

  test('keeps the paths of the system for os/', async () => {
    await belongsTo('src/os/', [
      "readFileSync('/proc/self/stat')",
      'readdirSync("/proc")',
      'readFileSync(`/proc/self/stat`)',
      'readFileSync(`/proc/${pid}/stat`)',
      'readFileSync(`${base}/proc/${pid}`)',
      'readFileSync(`${base}/proc`)',
      "join('/sys/fs/cgroup', name)",
    ])
  })

  test('lets through what only looks like it', async () => {
    const text = `
      // Atomics, Date.now(), Math.random(), '/proc/self', import 'node:worker_threads'
      const a = 'Atomics and Date.now()' + \`setTimeout \${1} performance\` + /Math.random()/.source
      const b = socket.setTimeout(5) + this.performance + work.Date
      const c = { performance: 1, setTimeout() {} }
      const d = value instanceof Date
      let e: Date
      interface F { Date: number; setImmediate(): void }
      const g = 'this system has no /proc, which shows threads'
      const h = pool.random() + generator.random
      clearTimeout(1)
      const i = { worker_threads: 1, 'worker_threads': 2 }`
    assert.deepEqual(await found(text), [])
    assert.deepEqual(
      await found("import { createHash } from 'node:crypto'", 'src/cli/demo/a.ts'),
      [],
    )
  })

  test('is for the library: its tests, contracts and fixtures may use anything', async () => {
    const text = "Atomics.load(a, 0)\nsetTimeout(b)\nMath.random()\nimport 'node:worker_threads'"
    for (const end of ['test', 'contract', 'fixture'])
      assert.deepEqual(await found(text, `src/wq/a.${end}.ts`), [])
    assert.deepEqual(await found(text, 'tests/model/memory.ts'), [])
    assert.equal((await found(text, 'src/cli/a.ts')).length, 4)
  })
})
