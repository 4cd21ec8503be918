import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { errorOfDeath, LastWords, notForked, type Remains } from './death.js'

checkForLeaks()

const nothing: Remains = {
  name: 'w',
  exitCode: null,
  signal: null,
  uncaught: null,
  fatal: null,
}
const cause = new RangeError('no')

const table: [string, Partial<Remains>, string, number | undefined, RegExp][] = [
  ['process.exit(3)', { exitCode: 3 }, 'ERR_WORKER_EXITED', 3, /exit\(3\)/],
  ['an uncaught error', { exitCode: 1, uncaught: cause }, 'ERR_WORKER_DIED', 1, /caught: no/],
  ['a signal', { signal: 'SIGKILL' }, 'ERR_WORKER_DIED', undefined, /SIGKILL/],
  [
    'a full heap',
    { signal: 'SIGABRT', fatal: 'FATAL ERROR: heap out of memory' },
    'ERR_WORKER_OUT_OF_MEMORY',
    1,
    /maxOldGenerationSizeMb/,
  ],
  [
    'a value that is too large',
    { signal: 'SIGTRAP', fatal: 'Fatal JavaScript invalid size error 1' },
    'ERR_WORKER_OUT_OF_MEMORY',
    1,
    /too large/,
  ],
  [
    "the words of a fatal error, which it said without dying of it, and an exit of one's own",
    { exitCode: 4, fatal: 'FATAL ERROR: heap out of memory' },
    'ERR_WORKER_EXITED',
    4,
    /exit\(4\)/,
  ],
]

test('each end of a child process has its error', () => {
  for (const [way, remains, code, exitCode, text] of table) {
    const error = errorOfDeath({ ...nothing, ...remains })
    assert.deepEqual([error.code, error.exitCode], [code, exitCode], way)
    assert.match(error.message, text, way)
  }
})

test("a refusal of the system's has the code that makes the queue try again", () => {
  for (const [code, expected] of [
    ['EAGAIN', 'EAGAIN'],
    ['EMFILE', 'EMFILE'],
    ['ENOMEM', 'ERR_WORKER_INIT'],
  ]) {
    const error = notForked('w', Object.assign(new Error(`spawn ${code}`), { code }))
    assert.equal(error.code, expected)
    assert.match(error.message, new RegExp(`spawn ${code}`))
  }
})

test("V8's last words are found in whatever pieces they come, and nothing else is taken for them", () => {
  const line = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'
  for (let cut = 0; cut <= line.length; cut++) {
    const words = new LastWords()
    words.hear(`<--- JS stacktrace --->\n\n${line.slice(0, cut)}`)
    words.hear(`${line.slice(cut)}\n`)
    words.hear('----- Native stack trace -----\n')
    assert.equal(words.found, line)
  }
  for (const text of [
    'out of memory',
    'Error: fatal',
    'Fatal error: no such file\nout of memory',
  ]) {
    const words = new LastWords()
    words.hear(text)
    assert.equal(words.found, null, text)
  }
})
