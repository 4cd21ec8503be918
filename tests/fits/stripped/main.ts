import { WorkQueue } from 'userworker'

const queue = new WorkQueue<typeof import('./handlers.ts')>(
  new URL('./handlers.ts', import.meta.url),
  { maxWorkers: 2 },
)

const sum: number = await queue.run('add', [2, 3])

const error: unknown = await queue.run('refuse', ['a.txt']).catch((thrown: unknown) => thrown)
const { code, file } = error as { code?: string; file?: string }
const kind = error instanceof RangeError ? error.name : 'something else'

const counter = new Int32Array(new SharedArrayBuffer(4))
const inTurn = { key: 'a.txt' }
const places = await Promise.all([30, 0].map((ms) => queue.run('place', [counter, ms], inTurn)))

const signal = AbortSignal.timeout(50)
const late: unknown = await queue
  .run('untilAborted', [], { signal })
  .catch((thrown: unknown) => thrown)

const { stuck } = await queue.close()
const line = [`sum ${sum}`, `${kind} ${code} ${file}`, `places ${places.join(' ')}`]
console.log([...line, (late as { code?: string }).code, `${stuck.length} stuck`].join(', '))
