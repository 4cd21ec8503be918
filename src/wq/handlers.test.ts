import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WorkQueue } from '../index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, moduleOf } from './contract/support.fixture.js'

checkForLeaks()

interface Module {
  setup(data: string): void
  teardown(): void
  resize(file: string, width: number, quality?: number): Promise<Uint8Array>
  version(): 3
  default<T>(value: T): T
  VERSION: string
}

type Queue = WorkQueue<Module>

// Never called: what is tested is that it compiles, and that each line marked so does not.
function compiles(queue: Queue, loose: WorkQueue): void {
  const resized: Promise<Uint8Array> = queue.run('resize', ['a.png', 200])
  void queue.run('resize', ['a.png', 200, 80], { key: 'a', unbounded: true })
  const three: Promise<3> = queue.enqueue('version').result
  void queue.run('version', [], { key: 1 })
  void queue.run('default', [1])
  // @ts-expect-error no such handler
  void queue.run('resise', ['a.png', 200])
  // @ts-expect-error setup is no handler
  void queue.run('setup', ['x'])
  // @ts-expect-error teardown is no handler
  void queue.run('teardown')
  // @ts-expect-error VERSION is no function
  void queue.run('VERSION')
  // @ts-expect-error an argument is missing
  void queue.run('resize', ['a.png'])
  // @ts-expect-error the arguments are missing
  void queue.run('resize')
  // @ts-expect-error the second argument is a number
  void queue.run('resize', ['a.png', '200'])
  // @ts-expect-error too many arguments
  void queue.run('version', [1])
  // @ts-expect-error no such option
  void queue.run('version', [], { kee: 1 })
  // @ts-expect-error the result is no string
  const text: Promise<string> = queue.run('version')
  // A queue that was given no type takes any name and any arguments.
  void loose.run('anything', [1, 'two']).then((value: string) => value)
  void [resized, three, text]
}

test('names, arguments and results of works are inferred from the module', () => {
  assert.equal(typeof compiles, 'function')
})

test('a queue without a module says so when it is asked for a handler', async () => {
  await using queue = new WorkQueue(null, { maxWorkers: 1 })
  const error = await failureOf(queue.run('resize'))
  assert.equal(error.code, 'ERR_NO_HANDLER')
  assert.match(error.message, /without a module.*'resize'/)
  assert.doesNotMatch(error.message, /data:/)
})

test('what a handler asks to be moved is moved with an object, and a value that is none arrives as it is', async () => {
  const current = JSON.stringify(new URL('./current.js', import.meta.url).href)
  const module = moduleOf(`
    import { transfer } from ${current}
    let kept
    export const give = (isObject) => {
      kept = new ArrayBuffer(8)
      return transfer(isObject ? { kept } : 'none', [kept])
    }
    export const left = () => kept.byteLength`)
  interface Moving {
    give(isObject: boolean): { kept: ArrayBuffer } | string
    left(): number
  }
  await using queue = new WorkQueue<Moving>(module, { maxWorkers: 1 })
  assert.deepEqual(await queue.run('give', [true]), { kept: new ArrayBuffer(8) })
  assert.equal(await queue.run('left'), 0)
  assert.equal(await queue.run('give', [false]), 'none')
  assert.equal(await queue.run('left'), 8)
})
