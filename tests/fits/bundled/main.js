import { UserWorker, UserWorkerError, WorkQueue } from 'userworker'

// The bundler made one file of each: this, the handlers, the watcher, and 'userworker/entry'.
const entry = new URL('./entry.js', import.meta.url)
const queue = new WorkQueue(new URL('./handlers.js', import.meta.url), { maxWorkers: 2, entry })

const sum = await queue.run('add', [2, 3])

const error = await queue.run('refuse', ['a.txt']).catch((thrown) => thrown)
const kind = error instanceof RangeError ? error.name : 'something else'

const counter = new Int32Array(new SharedArrayBuffer(4))
const inTurn = { key: 'a.txt' }
const places = await Promise.all([30, 0].map((ms) => queue.run('place', [counter, ms], inTurn)))

const signal = AbortSignal.timeout(50)
const late = await queue.run('untilAborted', [], { signal }).catch((thrown) => thrown)

const watcher = await UserWorker.create(new URL('./watcher.js', import.meta.url), { entry })
await watcher.start()
if ((await watcher.stop()) !== 7) throw new Error('the watcher did not end by its own code')

// An error of the library's, made in the other bundle, whose classes may bear other names.
const missing = await queue.run('nothing').catch((thrown) => thrown)
if (!(missing instanceof UserWorkerError) || missing.name !== 'UserWorkerError') throw missing

const { stuck } = await queue.close()
const line = [`sum ${sum}`, `${kind} ${error.code} ${error.file}`, `places ${places.join(' ')}`]
console.log([...line, late.code, `${stuck.length} stuck`].join(', '))
