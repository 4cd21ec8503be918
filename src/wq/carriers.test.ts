import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, test } from 'node:test'
import { WorkQueue } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { runProgram } from '../worker/program.fixture.js'
import { failureOf, moduleOf } from './contract/support.fixture.js'
import { carry, type Carrier } from './current.js'

checkForLeaks()

const current = JSON.stringify(new URL('./current.js', import.meta.url).href)
const index = JSON.stringify(new URL('../index.js', import.meta.url).href)

const carrying = JSON.stringify(new URL('../carry/index.js', import.meta.url).href)

/** A module whose thread has a language: one variable, and no AsyncLocalStorage. */
const language = moduleOf(`
  import { carry } from ${current}
  globalThis.language = 'none'
  globalThis.takeLanguageBack = carry('language', {
    capture: () => globalThis.language,
    run: (sent, fn) => {
      const before = globalThis.language
      globalThis.language = sent
      try {
        return fn()
      } finally {
        globalThis.language = before
      }
    },
  })
`)

type WithLanguage = { language: string; takeLanguageBack: () => void }
const here = globalThis as unknown as WithLanguage
const speaks = (): string => (globalThis as unknown as WithLanguage).language

describe('a carrier', () => {
  test('that was invented after the queue was written is one call, on both sides [BUG-UW-1, S1-6]', async () => {
    await using queue = new WorkQueue(null, { maxWorkers: 1, preload: [language] })
    assert.equal(await queue.run(speaks), 'none')
    await import(language)
    for (const each of ['de', 'fr', 'fr', 'de', 'none']) {
      here.language = each
      const works = Array.from({ length: 12 }, () => queue.run(speaks))
      here.language = 'changed'
      assert.deepEqual(new Set(await Promise.all(works)), new Set([each]))
    }
    here.takeLanguageBack()
    assert.equal(await queue.run(speaks), 'none')
  })

  test('whose value cannot be had in the worker does not keep a work from running [BUG-UW-2]', async () => {
    const { out, err } = await runProgram(`
      const { WorkQueue, carry } = await import(${index})
      carry('one', { capture: () => 1, run: (_, fn) => fn() })
      carry('two', { capture: () => ({ two: 2 }), run: (_, fn) => fn() })
      const queue = new WorkQueue(null, { maxWorkers: 2 })
      const works = Array.from({ length: 40 }, (_, mark) => queue.run((x) => x, [mark], { key: mark % 2 }))
      const sum = (await Promise.all(works)).reduce((a, b) => a + b)
      await queue.close()
      console.log(sum)`)
    assert.equal(out, '780\n')
    for (const name of ['one', 'two']) {
      const lines = err.split('\n').filter((line) => line.includes(`Works carry '${name}'`))
      assert.equal(lines.length, 1, err)
      assert.match(lines[0] ?? '', /UserWorkerWarning: .*preload/)
    }
  })

  test('that does not call what it is to run fails the work, which says so', async () => {
    const lazy = moduleOf(`
      import { carry } from ${current}
      carry('lazy', { capture: () => undefined, run: () => 1 })`)
    await using queue = new WorkQueue(null, { maxWorkers: 1, preload: [lazy] })
    const takeBack = carry('lazy', { capture: () => 1, run: (_, fn) => fn() })
    try {
      const error = await failureOf(queue.run(() => 5))
      assert.deepEqual([error.code, error.name], ['EINVAL', 'TypeError'])
      assert.match(error.message, /The carrier 'lazy' did not call/)
    } finally {
      takeBack()
    }
    assert.equal(await queue.run(() => 5), 5)
  })

  test('is asked once for each work, and may make its handler wait', async () => {
    const waiting = moduleOf(`
      import { carry } from ${current}
      carry('waiting', {
        capture: () => undefined,
        run: async (sent, fn) => {
          await new Promise((resolve) => setTimeout(resolve, 1))
          return [sent, await fn()]
        },
      })`)
    await using queue = new WorkQueue(null, { maxWorkers: 1, preload: [waiting] })
    let asked = 0
    const takeBack = carry('waiting', { capture: () => ++asked, run: (_, fn) => fn() })
    const first = await queue.run(() => 'a')
    const second = await queue.run(() => 'b')
    takeBack()
    assert.deepEqual([first, second, asked], [[1, 'a'], [2, 'b'], 2])
  })

  test('of the same name that carries another thing is refused with EINVAL', () => {
    const store = new AsyncLocalStorage<number>()
    const carrier: Carrier = { capture: () => 1, run: (_, fn) => fn() }
    const takeBack = [carry('twice', store), carry('twice', store)]
    const refused = { name: 'TypeError', code: 'EINVAL' }
    assert.throws(() => carry('twice', new AsyncLocalStorage()), refused)
    assert.throws(() => carry('twice', store, { immutable: true }), refused)
    assert.throws(() => carry('twice', carrier), refused)
    takeBack[0]?.()
    takeBack[0]?.()
    assert.throws(() => carry('twice', carrier), refused, 'it was registered twice')
    takeBack[1]?.()
    carry('twice', carrier)()
  })

  test('with a wrong argument is refused with EINVAL', () => {
    const store = new AsyncLocalStorage<number>()
    for (const args of [
      ['', store],
      [1, store],
      ['x', null],
      ['x', {}],
      ['x', { capture: () => 1 }],
      ['x', { capture: () => 1, run: () => 1, immutable: 1 }],
      ['x', { capture: () => 1, run: () => 1 }, { immutable: true }],
      ['x', store, { immutable: 'yes' }],
      ['x', store, { restore: 1 }],
      ['x', store, { frozen: true }],
    ]) {
      const call = carry as (...given: unknown[]) => void
      assert.throws(() => call(...args), { name: 'TypeError', code: 'EINVAL' })
    }
  })
})

describe('contexts with numbers', () => {
  test('are dropped by the workers once nobody holds their stores, and are few', async () => {
    const { out } = await runProgram(`
      import { setFlagsFromString } from 'node:v8'
      import { runInNewContext } from 'node:vm'
      import { AsyncLocalStorage } from 'node:async_hooks'
      setFlagsFromString('--expose-gc')
      const gc = runInNewContext('gc')
      const { Contexts } = await import(${carrying})
      const { carry } = await import(${index})
      const store = new AsyncLocalStorage()
      carry('store', store, { immutable: true })
      const known = new Set()
      let most = 0
      const contexts = new Contexts({
        defined: (number) => { known.add(number) },
        dropped: (number) => known.delete(number),
      })
      const held = []
      for (let round = 0; round < 4000; round++) {
        store.run({ round }, () => {
          for (let times = 0; times < 9; times++) {
            const carried = contexts.carriedOf(contexts.look())
            if (times === 8 && round < 10) held.push(carried)
          }
        })
        if (round % 500 === 499) {
          gc()
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      }
      for (let turn = 0; turn < 2000 && known.size > 400; turn++) {
        gc()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const areHeld = held.every(({ number }) => known.has(number))
      console.log(known.size <= 400, areHeld, [...contexts.all()].length === known.size)
    `)
    assert.equal(out, 'true true true\n')
  })

  test('are told to no worker for stores that each work has anew', async () => {
    const { Contexts } = await import('../carry/index.js')
    const [store, primitive] = [new AsyncLocalStorage(), new AsyncLocalStorage()]
    const takeBack = [carry('store', store, { immutable: true }), carry('primitive', primitive)]
    let defined = 0
    const contexts = new Contexts({ defined: () => defined++, dropped: () => {} })
    const carriedWith = (object: unknown, number: unknown): number =>
      store.run(object, () =>
        primitive.run(number, () => {
          const found = contexts.look()
          return found === null ? -1 : contexts.carriedOf(found).number
        }),
      )
    for (let mark = 0; mark < 5000; mark++) assert.equal(carriedWith({ mark }, mark), 0)
    assert.equal(defined, 0)
    // One that is constant beside one that is not is sent once all the same.
    const constant = { name: 'constant' }
    const numbers = new Set<number>()
    for (let mark = 0; mark < 5000; mark++) numbers.add(carriedWith(constant, `n${mark}`))
    assert.deepEqual([defined, numbers.size], [1, 2])
    for (const each of takeBack) each()
    await until('the carriers are gone', () => contexts.look() === null)
  })
})
