/**
 * A worker's end (`finish` in `worker/control.ts`): its exit code becomes final once, whatever is asked of it
 * meanwhile.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { judged, oneWorker, row, telling, workerCode } from './worker-code.js'

export default async function exit(code: Code): Promise<Protocol<memory.Words>> {
  const real = await workerCode(code)
  const { ask, at, controlOf, Field, finish, isExited, isParked, KILLED } = real
  return {
    name: 'exit',
    promise:
      'The first exit code is the final one, it is there when the state says EXITED, and no request ' +
      'changes anything after that.',
    setUp: () => oneWorker(real, 'loaded', 'start', 'enter'),
    threads: {
      // The function returns 7; a listener of the exit then calls process.exit(9).
      worker: (words) => [finish(words, row, 7), finish(words, row, 9)],
      owner(words, model) {
        ask(words, row, 'park')
        ask(words, row, 'unpark')
        ask(words, row, 'stop')
        model.ended('worker')
        return judged(real, words)
      },
      killer: (_, model) => model.kill('worker'),
      spectator(words) {
        const before = controlOf(words, row)
        const exitCode = memory.load(words, at(row, Field.EXIT_CODE))
        const after = controlOf(words, row)
        return isExited(before) ? [exitCode, before, after] : null
      },
    },
    check({ threads: { worker, owner, spectator } }, words) {
      assert.ok(owner?.state === 'returned' && spectator?.state === 'returned', 'somebody is stuck')
      const exited = isExited(controlOf(words, row))
      assert.equal(owner.value, exited ? 7 : KILLED)
      if (worker?.state === 'returned') {
        assert.deepEqual(worker.value, [true, false])
        assert.ok(exited)
      }
      assert.ok(!exited || !isParked(words, row))
      if (spectator.value === null) return
      const [exitCode, before, after] = spectator.value as [number, number, number]
      assert.equal(exitCode, 7, 'the exit code was not final when the state was EXITED')
      assert.equal(after, before, 'an exited worker changed')
    },
    ...telling(real),
  }
}
