import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { UserWorker } from './index.js'

checkForLeaks()

const folder = mkdtempSync(join(tmpdir(), 'userworker-preload-'))
after(() => rmSync(folder, { recursive: true }))

const noting = (name: string): string => `(globalThis.seen ??= []).push('${name}')`
/** Its exit code says that it found these, in this order. */
const checking = (names: string): URL =>
  moduleOf(
    `const seen = String(globalThis.seen); export default () => (seen === '${names}' ? 7 : 8)`,
  )

type Failure = Error & { code?: string }

describe('preload', () => {
  test("imports modules in their order before the worker's own, by URL or path, in spares too", async () => {
    const path = join(folder, 'second.cjs')
    writeFileSync(path, noting('b'))
    writeFileSync(join(folder, 'third.js'), noting('c'))
    const third = pathToFileURL(join(folder, 'third.ts'))
    const preload = [moduleOf(`await null; ${noting('a')}`), path, third]
    for (const spares of [0, 1]) {
      await UserWorker.spares(spares)
      const worker = await UserWorker.create(checking('a,b,c'), { preload })
      await worker.start()
      assert.equal(await worker.join(), 7)
    }
    await UserWorker.spares(0)
  })

  test('that fails is ERR_MODULE_LOAD, which names the module and has the cause', async () => {
    const bad = moduleOf(`throw new RangeError('so')`)
    const preload = [moduleOf(noting('a')), bad]
    const created = UserWorker.create(checking(''), { preload })
    const error = await created.then(
      () => assert.fail('must reject'),
      (reason: unknown) => reason as Failure,
    )
    assert.equal(error.code, 'ERR_MODULE_LOAD')
    assert.ok(error.message.startsWith(`Preloading ${bad.href} failed: so`), error.message)
    assert.equal((error.cause as Error).name, 'RangeError')
  })

  test('counts against loadDeadlineMs', async () => {
    const preload = [moduleOf('await new Promise((resolve) => setTimeout(resolve, 60_000))')]
    await assert.rejects(UserWorker.create(checking(''), { preload, loadDeadlineMs: 300 }), {
      code: 'ERR_MODULE_LOAD_TIMEOUT',
    })
  })

  test('is refused with EINVAL unless it is a list of URLs and absolute paths', async () => {
    const module = functionOf('() => 0')
    for (const preload of ['x', [1], ['./x.js'], [null], {}]) {
      const options = { preload } as unknown as { preload: string[] }
      await assert.rejects(UserWorker.create(module, options), {
        name: 'TypeError',
        code: 'EINVAL',
      })
    }
  })
})
