import { WorkQueue } from 'userworker'

const queue = new WorkQueue(new URL('./handlers.js', import.meta.url), { maxWorkers: 2 })

const sum = await queue.run('add', [2, 3])

const error = await queue.run('refuse', ['a.txt']).catch((thrown) => thrown)
const kind = error instanceof RangeError ? error.name : 'something else'

const counter = new Int32Array(new SharedArrayBuffer(4))
const inTurn = { key: 'a.txt' }
const places = await Promise.all([30, 0].map((ms) => queue.run('place', [counter, ms], inTurn)))

const signal = AbortSignal.timeout(50)
const late = await queue.run('untilAborted', [], { signal }).catch((thrown) => thrown)

const { stuck } = await queue.close()
const line = [`sum ${sum}`, `${kind} ${error.code} ${error.file}`, `places ${places.join(' ')}`]
console.log([...line, late.code, `${stuck.length} stuck`].join(', '))
