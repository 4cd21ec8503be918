/**
 * The list of works of a vhost worker: its owner adds a work, a command and a sentinel, the worker adds to it itself,
 * takes and begins, and closes it when it is killed (`vhost/worker/work-list.ts`, in the order of `crew.ts` and
 * `reins.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Model, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { command, listWordName, names, sentinel, vring } from './vhost-items.js'

interface Context {
  readonly list: memory.Words
  /** For each item how often it was asked for, by a step before its addition. */
  readonly asked: memory.Words
  /** For each item what its last run has found of that. */
  readonly seen: memory.Words
  /** 1 while an item runs, which is to be by one at a time. */
  readonly running: memory.Words
  /** 1: the worker is to die. */
  readonly killed: memory.Words
}

type List = typeof import('../../../src/vhost/worker/work-list.js')

/** What owner and worker do with the list. */
function actsOf({ add, begin }: List): {
  ask: (context: Context, item: number) => boolean
  run: (context: Context, item: number) => void
} {
  /** As `Reins.add`. */
  const ask = ({ list, asked }: Context, item: number): boolean => {
    memory.add(asked, item, 1)
    return add(list, item)
  }

  /** As `Crew.#run`. */
  const run = ({ list, asked, seen, running }: Context, item: number): void => {
    assert.equal(memory.swap(running, 0, 1), 0, 'two works run at once')
    begin(list, item)
    memory.store(seen, item, memory.load(asked, item))
    memory.store(running, 0, 0)
  }
  return { ask, run }
}

export default async function vhostWork(code: Code): Promise<Protocol<Context>> {
  const real = (await code('vhost/worker/work-list.js')) as List
  const { ask, run } = actsOf(real)
  return {
    name: 'vhost-work',
    promise:
      'An item is in the list once at most; each that was accepted runs after that, in order, or the ' +
      'list says that it is closed; and a flush finds that all that was added before it has run.',
    setUp: () => ({
      list: real.makeList(names.length),
      asked: memory.allocate(names.length),
      seen: memory.allocate(names.length),
      running: memory.allocate(1),
      killed: memory.allocate(1),
    }),
    threads: {
      owner(context, model) {
        const { seen } = context
        const isFirst = ask(context, command)
        const isSecond = ask(context, command)
        if (ask(context, sentinel)) {
          model.receive('flushed')
          // All that was accepted before the sentinel has run by now.
          const least = isSecond ? 2 : isFirst ? 1 : 0
          assert.ok(memory.load(seen, command) >= least, 'flushed before the command ran')
        }
        const isLast = ask(context, command)
        return isLast ? 3 : isSecond ? 2 : isFirst ? 1 : 0
      },
      worker(context, model: Model, state) {
        const { list, killed } = context
        // A kick is heard, and a vring that has used its share adds itself.
        const kicks = Number(state ?? 0)
        // The owner's end is looked for first, as the loop does it.
        const isLast = memory.load(killed, 0) === 1
        const items = isLast ? real.close(list) : real.take(list)
        assert.equal(new Set(items).size, items.length, `twice: ${items.join()}`)
        for (const item of items) {
          run(context, item)
          if (item === sentinel) model.post('flushed', null)
        }
        if (isLast) return kicks
        const adds = kicks === 0 || (kicks === 1 && items.includes(vring))
        if (adds) assert.ok(ask(context, vring), 'refused, and it is not closed')
        // With nothing it sleeps: see the protocol 'wake'.
        return model.again(adds ? kicks + 1 : kicks)
      },
      killer({ killed }) {
        memory.store(killed, 0, 1)
      },
    },
    check({ threads: { owner, worker } }, { list, seen }) {
      assert.ok(owner?.state === 'returned', 'the owner waits for its flush')
      assert.ok(worker?.state === 'returned', 'the worker is stuck')
      for (const [item, least] of [worker.value, owner.value].entries()) {
        const found = memory.load(seen, item)
        assert.ok(found >= Number(least), `${names[item]} was accepted, and did not run after that`)
      }
      assert.equal(real.hasWork(list), false, 'something is left in a closed list')
      assert.equal(real.add(list, vring), false, 'a closed list takes something')
    },
    wordName(index, context, words) {
      if (words === context.list) return listWordName(index)
      const owner = Object.entries(context).find(([, each]) => each === words)
      return `${owner?.[0] ?? 'words'} of ${names[index] ?? index}`
    },
  }
}
