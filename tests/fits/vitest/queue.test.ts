import { afterEach, expect, test, vi } from 'vitest'
import { UserWorkerError, WorkQueue } from 'userworker'

const make = () =>
  new WorkQueue<typeof import('./handlers.js')>(new URL('./handlers.js', import.meta.url), {
    maxWorkers: 2,
  })

afterEach(() => {
  vi.useRealTimers()
})

test('a queue runs works, keeps errors and keys, aborts, and closes', async () => {
  const queue = make()
  const sum = await queue.run('add', [2, 3])
  const error = await queue.run('refuse', ['a.txt']).catch((thrown) => thrown)
  const counter = new Int32Array(new SharedArrayBuffer(4))
  const inTurn = { key: 'a.txt' }
  const places = await Promise.all([30, 0].map((ms) => queue.run('place', [counter, ms], inTurn)))
  const signal = AbortSignal.timeout(50)
  const late = await queue.run('untilAborted', [], { signal }).catch((thrown) => thrown)
  const { stuck } = await queue.close()

  expect(error).toBeInstanceOf(RangeError)
  expect(late).toBeInstanceOf(UserWorkerError)
  const line = [`sum ${sum}`, `${error.name} ${error.code} ${error.file}`]
  line.push(`places ${places.join(' ')}`, late.code, `${stuck.length} stuck`)
  console.log(line.join(', '))
})

test('a queue does not mind a clock that stands still', async () => {
  vi.useFakeTimers()
  const queue = make()
  expect(await queue.run('add', [1, 1])).toBe(2)
  await expect(queue.run('refuse', ['b.txt'])).rejects.toThrow(RangeError)
  expect(await queue.close()).toEqual({ stuck: [] })
})
