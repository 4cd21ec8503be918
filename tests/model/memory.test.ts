import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { beforeEach, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import * as door from '#memory'
import { complaintOf, runNode } from '../consumer.js'
import { root } from '../root.js'
import type { Lifetime } from './lifetime.fixture.js'
import * as double from './memory.js'
import { steps, type Step } from './trace.js'

const condition = '--conditions=userworker-model'

/** The single files: the packed ones that a user gets have the real memory inside. */
const { UserWorker } = (await built('index.js')) as typeof import('userworker')

/** The layout of the shared words, from the library itself. */
const { at, Field } = (await built('worker/table.js')) as typeof import('../../src/worker/table.js')
const { Flag, State } = (await built(
  'worker/state.js',
)) as typeof import('../../src/worker/state.js')

function built(file: string): Promise<unknown> {
  return import(pathToFileURL(join(root, 'dist', file)).href)
}

/** The first owner of a process has row 1, the first worker the next. */
const [ownerRow, row] = [1, 2]
const word = {
  parent: at(row, Field.PARENT),
  control: at(row, Field.CONTROL),
  sequence: at(row, Field.SEQUENCE),
  id: at(row, Field.ID),
}

/**
 * The steps that wrote, without those that free a row. Whether the worker dozes by then is a matter of
 * time.
 */
function changes(trace: readonly Step[]): Partial<Step>[] {
  return trace
    .filter(({ op, value }) => op !== 'load' && !(op === 'store' && value === 0))
    .filter(({ result }) => result !== false)
    .map(({ op, index, value, result }) => ({
      op,
      index,
      value: index === word.control && value !== null ? value & ~Flag.DOZING : value,
      result,
    }))
}

/** How an owner asks for something: the flag first, then the sequence, then the bell. */
const asks = (flag: number, before: number, sequence: number): Partial<Step>[] => [
  { op: 'replace', index: word.control, value: before | flag, result: true },
  { op: 'add', index: word.sequence, value: 1, result: sequence },
  { op: 'notify', index: word.sequence, value: null, result: null },
]

describe('the double of shared memory', () => {
  beforeEach(() => {
    steps.length = 0
  })

  test('is not what this process uses, nor any other without the condition', () => {
    assert.notEqual(door.load, double.load)
    door.load(door.allocate(1), 0)
    assert.deepEqual(steps, [])
  })

  test('exports what the door exports', () => {
    assert.deepEqual(Object.keys(double), Object.keys(door))
  })

  test('does what the door does, and leaves each step in the trace', () => {
    const use = ({ allocate, load, store, add, or, replace, wait, notify }: typeof door) => {
      const words = allocate(2)
      store(words, 1, 5)
      notify(words, 1)
      return [
        add(words, 1, 2),
        or(words, 1, 8),
        replace(words, 1, 0, 1),
        replace(words, 1, 15, 4),
        load(words, 1),
        wait(words, 1, 3, 0),
        wait(words, 1, 4, 0),
        [...words],
      ]
    }
    assert.deepEqual(use(double), use(door))
    assert.deepEqual(
      steps.map(({ op, index, value, expected, result }) => [op, index, value, expected, result]),
      [
        ['store', 1, 5, null, null],
        ['notify', 1, null, null, null],
        ['add', 1, 2, null, 5],
        ['or', 1, 8, null, 7],
        ['replace', 1, 1, 0, false],
        ['replace', 1, 4, 15, true],
        ['load', 1, null, null, 4],
        ['wait', 1, null, 3, 'not-equal'],
        ['wait', 1, null, 4, 'timed-out'],
      ],
    )
  })
})

describe('a process that runs with the double', () => {
  test('shows every step by which an owner creates, starts and stops a worker', async () => {
    const program = new URL('./lifetime.fixture.js', import.meta.url).href
    const script = `import(${JSON.stringify(program)})`
    const end = await runNode(root, [condition, '--eval', script])
    assert.equal(complaintOf(end), '')
    const { create, start, stop, code } = JSON.parse(end.stdout) as Lifetime
    assert.equal(code, 7)

    // The row is claimed by one swap of a word that was 0; the worker's number is given after that.
    const claimed = create.findIndex(({ op, index }) => op === 'replace' && index === word.parent)
    const [claim, ...rest] = create.slice(claimed)
    assert.deepEqual(claim, {
      op: 'replace',
      index: word.parent,
      expected: 0,
      value: ownerRow + 1,
      result: true,
    })
    assert.ok(
      rest.some(({ op, index, value }) => op === 'store' && index === word.id && value === 1),
    )
    assert.equal(rest.filter(({ op }) => op === 'replace').length, 0)

    const booted = State.CREATED
    assert.deepEqual(changes(start), asks(Flag.START, booted, 0))
    const running = State.RUNNING | Flag.ENTERED | Flag.START
    assert.deepEqual(changes(stop), asks(Flag.STOP, running, 1))

    // The row is freed after everything else, its parent last.
    const freed = stop.filter(({ op }) => op === 'store')
    assert.deepEqual(freed.at(-1), {
      op: 'store',
      index: word.parent,
      expected: null,
      value: 0,
      result: null,
    })
  })
})

describe("a worker's thread", () => {
  beforeEach(() => {
    steps.length = 0
  })

  /** The trace of a worker's own thread from its birth until it is stopped. */
  async function traceOf(execArgv: string[]): Promise<Step[]> {
    const { port1, port2 } = new MessageChannel()
    const sleeper = new URL('./sleeper.fixture.js', import.meta.url)
    const options = { data: port2, transfer: [port2], execArgv }
    await using worker = await UserWorker.create(sleeper, options)
    await worker.start()
    const [[trace]] = (await Promise.all([once(port1, 'message'), worker.stop()])) as [[Step[]], 7]
    port1.close()
    return trace
  }

  test('gets the double by its own execArgv, while its owner keeps the door', async () => {
    const trace = await traceOf([condition])
    const swaps = trace.filter(({ op, result }) => op === 'replace' && result === true)
    const control = swaps[0]?.index ?? 0
    assert.equal(control % at(1, 0), Field.CONTROL)
    assert.deepEqual(
      // Behind these two its sleep comes, and its end.
      swaps.slice(0, 2).map(({ index, expected, value }) => [index, expected, value]),
      [
        [control, State.BOOTING, State.CREATED],
        [control, State.CREATED | Flag.START, State.RUNNING | Flag.START | Flag.ENTERED],
      ],
    )
    assert.deepEqual(steps, [])
  })

  test('gets the door without it', async () => {
    assert.deepEqual(await traceOf([]), [])
  })
})
