import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import * as sharedWords from '#memory'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import type { Outcome } from './back-end.js'
import { faultsOf, type FaultRule } from './fault-rules.js'
import { faultsSoFar, faultWords } from './faults.js'
import { Journal } from './journal.js'
import { TestMemory } from './request.fixture.js'
import { folderForTests, openHere, type OpenHere } from './thread.fixture.js'

checkForLeaks()

const size = 2 ** 16
const memory = new TestMemory()
after(() => memory.free())
const { image } = folderForTests()

/** A disk in memory with faults, and what is in it. */
function faulty(text: string, seed = 1) {
  const bytes = new SharedArrayBuffer(size)
  const { rules, isVolatile } = faultsOf(text)
  const words = faultWords(rules)
  const over = { kind: 'memory', bytes } as const
  const journal = isVolatile ? image(0) : null
  const disk = openHere({ kind: 'faults', over, rules, seed, words, journal })
  const crash = (): void => {
    const below = openHere(over)
    const undone = new Journal(journal ?? '', words, 2 * rules.length)
    assert.ok(undone.undo(below.backEnd))
    undone.close()
    below.close()
  }
  return { ...disk, words, crash, bytes: new Uint8Array(bytes) }
}

function write(
  { backEnd }: Pick<OpenHere, 'backEnd'>,
  offset: number,
  length: number,
  value = 7,
): Outcome {
  memory.reset()
  const segments = memory.pieces([length])
  segments.fill(0, length, value)
  return backEnd.write({ segments, from: 0, length }, offset, () => {})
}

function read({ backEnd }: Pick<OpenHere, 'backEnd'>, offset: number, length: number): Outcome {
  memory.reset()
  return backEnd.read({ segments: memory.pieces([length]), from: 0, length }, offset, () => {})
}

describe('a fault', () => {
  test('of an error does nothing, and says so', () => {
    const disk = faulty('error:write')
    assert.equal(write(disk, 0, 512), 'failed')
    assert.equal(read(disk, 0, 512), 'done')
    assert.ok(disk.bytes.every((byte) => byte === 0))
    disk.close()
  })

  test('comes at each so manieth that fits, so often, after so many', () => {
    const disk = faulty('error:write:nth=3,after=2,times=2')
    const outcomes = Array.from({ length: 14 }, () => write(disk, 0, 512))
    const failed = outcomes.flatMap((outcome, index) => (outcome === 'failed' ? [index + 1] : []))
    assert.deepEqual(failed, [5, 8])
    assert.deepEqual(faultsSoFar(disk.words), [2])
    disk.close()
  })

  test('comes where one of its sectors is touched', () => {
    const disk = faulty('error:any:sectors=4-5')
    const failed = [0, 1, 2, 3, 4, 5, 6].filter((at) => read(disk, at * 512, 1024) === 'failed')
    assert.deepEqual(failed, [3, 4, 5])
    assert.equal(
      disk.backEnd.flush(() => {}),
      'done',
    )
    disk.close()
  })

  test('comes as often as its probability says, and again with the same seed', () => {
    const run = (seed: number): number[] => {
      const disk = faulty('error:read:p=0.25', seed)
      const outcomes = Array.from({ length: 2000 }, () => read(disk, 0, 512))
      disk.close()
      return outcomes.flatMap((outcome, index) => (outcome === 'failed' ? [index] : []))
    }
    const failed = run(5)
    // 500 of 2000, standard deviation 19.
    assert.ok(Math.abs(failed.length - 500) < 140, `${failed.length}`)
    assert.deepEqual(run(5), failed)
    assert.notDeepEqual(run(6), failed)
  })

  test('of a torn write leaves its first sectors, and tells the guest what it is told to', () => {
    for (const [text, outcome] of [
      ['torn:write', 'failed'],
      ['torn:write:answer=ok', 'done'],
    ] as const) {
      const disk = faulty(text)
      assert.equal(write(disk, 0, 32768), outcome)
      const written = disk.bytes.lastIndexOf(7) + 1
      assert.ok(written > 0 && written < 32768 && written % 512 === 0, `${written}`)
      assert.ok(disk.bytes.subarray(0, written).every((byte) => byte === 7))
      disk.close()
    }
  })

  test('of a lost write is told to be done', () => {
    const disk = faulty('lose:write')
    assert.equal(write(disk, 0, 512), 'done')
    assert.ok(disk.bytes.every((byte) => byte === 0))
    disk.close()
  })

  test('of a delay begins later', () => {
    const disk = faulty('delay:write:ms=5')
    assert.equal(write(disk, 0, 512), 'later')
    assert.equal(disk.bytes[0], 0)
    disk.wait()
    assert.equal(disk.bytes[0], 7)
    disk.close()
  })
})

describe('a crash', () => {
  test('undoes what was not flushed, the last first', () => {
    const disk = faulty('volatile')
    write(disk, 0, 1024, 1)
    assert.equal(
      disk.backEnd.flush(() => {}),
      'done',
    )
    write(disk, 512, 1024, 2)
    write(disk, 1024, 1024, 3)
    assert.equal(
      disk.backEnd.zero(0, 512, true, () => {}),
      'done',
    )
    disk.close()
    disk.crash()
    const found = [0, 512, 1024, 1536].map((at) => disk.bytes[at])
    assert.deepEqual(found, [1, 1, 0, 0])
  })

  test('undoes what was noted, where a thread ended before it wrote its note', () => {
    const disk = faulty('volatile')
    write(disk, 0, 512, 1)
    // Others took a place, before and behind a note that is there, and are no more.
    sharedWords.add(disk.words, 1, 3)
    write(disk, 1024, 512, 2)
    sharedWords.add(disk.words, 1, 9)
    disk.crash()
    assert.ok(disk.bytes.every((byte) => byte === 0))
    disk.close()
  })

  test('undoes as much after any number of writes: the words of the journal go round', () => {
    for (const sectors of [2 ** 31 - 3, 2 ** 32 - 3]) {
      const disk = faulty('volatile')
      for (const word of [0, 1]) sharedWords.store(disk.words, word, sectors | 0)
      write(disk, 0, 512, 1)
      assert.equal(
        disk.backEnd.flush(() => {}),
        'done',
      )
      for (const at of [0, 512, 0]) assert.equal(write(disk, at, 512, 2), 'done')
      disk.close()
      disk.crash()
      assert.deepEqual([disk.bytes[0], disk.bytes[512]], [1, 0])
    }
  })

  test('undoes what a lost flush was to keep', () => {
    const disk = faulty('lose:flush:after=1')
    write(disk, 0, 512, 1)
    assert.equal(
      disk.backEnd.flush(() => {}),
      'done',
    )
    write(disk, 0, 512, 2)
    assert.equal(
      disk.backEnd.flush(() => {}),
      'done',
    )
    disk.close()
    assert.equal(disk.bytes[0], 2)
    disk.crash()
    assert.equal(disk.bytes[0], 1)
  })
})

describe('the language of faults', () => {
  test('says the same as rules do', () => {
    const text =
      'error:write:p=0.01; torn:write:nth=100,answer=ok;delay:read:ms=5,sectors=1-9;lose:flush'
    const rules: FaultRule[] = [
      { action: 'error', operation: 'write', p: 0.01 },
      { action: 'torn', operation: 'write', nth: 100, answer: 'ok' },
      { action: 'delay', operation: 'read', ms: 5, sectors: [1, 9] },
      { action: 'lose', operation: 'flush' },
    ]
    assert.deepEqual(faultsOf(text), { rules, isVolatile: true })
    assert.deepEqual(faultsOf(rules), { rules, isVolatile: true })
    assert.deepEqual(faultsOf('volatile'), { rules: [], isVolatile: true })
  })

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /The fault '' must be 'action:operation'/],
    ['error', /must be 'action:operation'/],
    ['explode:write', /has the action 'explode'\. There is: error, torn, lose, delay/],
    ['torn:read', /has the operation 'read'\. 'torn' can befall: write/],
    ['error:write:p=2', /must have a p from 0 to 1/],
    ['error:write:p=x', /must have a p from 0 to 1/],
    ['error:write:nth=0', /must have a whole number from 1 on as nth/],
    ['error:write:p', /has 'p' where 'name=value' belongs/],
    ['error:write:p=1,p=1', /has 'p' twice/],
    ['error:write:q=1', /has 'q'\. There is: p, nth, after, times, sectors, ms, answer/],
    ['error:write:ms=1', /has 'ms', which belongs to 'delay'/],
    ['error:write:sectors=9-1', /must have sectors as 'first-last'/],
    ['error:write:sectors=1-2-3', /must have sectors as 'first-last'/],
    ['delay:read', /must say how late, as in 'delay:read:ms=5'/],
    ['error:write:action=lose', /has 'action' twice/],
    ['toString:write', /has the action 'toString'/],
  ]
  for (const [text, message] of wrong) {
    test(`refuses '${text}' in one sentence`, () => {
      assert.throws(() => faultsOf(text), { name: 'TypeError', code: 'EINVAL', message })
    })
  }
})
