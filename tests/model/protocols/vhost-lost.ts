/**
 * A vhost worker whose thread is terminated at any step: its owner's commands and flush (`vhost/worker/work-list.ts`,
 * in the order of `Crew` and `Reins`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, End, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { command, listWordName, names, sentinel, vring } from './vhost-items.js'

interface Context {
  readonly list: memory.Words
  /** How often each item was run. */
  readonly runs: memory.Words
}

export default async function vhostLost(code: Code): Promise<Protocol<Context>> {
  const { add, begin, makeList, take } = (await code(
    'vhost/worker/work-list.js',
  )) as typeof import('../../../src/vhost/worker/work-list.js')
  return {
    name: 'vhost-lost',
    promise:
      'Wherever a vhost worker is terminated, its owner waits for nothing: a command is answered by its ' +
      'run or by the end, and a flush that was answered by a run came after all before it.',
    setUp: () => ({ list: makeList(names.length), runs: memory.allocate(names.length) }),
    threads: {
      owner({ list, runs }, model) {
        model.post('mercy', null)
        const open = new Set<number>()
        for (const item of [command, sentinel]) {
          open.add(item)
          if (item === command) model.post('commands', null)
          assert.ok(add(list, item), 'nobody has closed it')
          model.post('bell', null)
        }
        let ended = false
        while (open.size > 0 && !ended) {
          const answer = model.receive('to owner')
          ended = answer === 'exit'
          if (typeof answer !== 'number') continue
          assert.ok(open.delete(answer), `${names[answer]} is answered twice`)
          if (answer === sentinel)
            assert.ok(memory.load(runs, command) > 0, 'flushed before the command ran')
        }
        // As `Reins.#ended`: its last words, then the rest is settled.
        for (;;) {
          const word = model.tryReceive('to owner')
          if (word === undefined) break
          if (typeof word === 'number')
            assert.ok(open.delete(word), `${names[word]} is answered twice`)
        }
        // An addition after the end is no trap either.
        add(list, command)
        return [...open]
      },
      doomed({ list, runs }, model, state) {
        const kicks = Number(state ?? 0)
        const items = take(list)
        for (const item of items) {
          begin(list, item)
          memory.add(runs, item, 1)
          if (item === command) {
            while (model.tryReceive('commands') !== undefined) model.post('to owner', command)
          } else if (item === sentinel) model.post('to owner', sentinel)
        }
        if (kicks === 0) add(list, vring)
        else if (items.length === 0) model.receive('bell')
        return model.again(1)
      },
      death(_, model) {
        if (model.tryReceive('mercy') !== undefined) return model.post('to owner', 'spared')
        model.kill('doomed')
        model.ended('doomed')
        model.post('to owner', 'exit')
      },
    },
    check,
    wordName(index, context, words) {
      if (words === context.list) return listWordName(index)
      return `runs of ${names[index] ?? index}`
    },
  }
}

/** Whatever was not answered by a run is settled by the end. */
function check({ threads: { owner, doomed } }: End, { list, runs }: Context): void {
  assert.ok(owner?.state === 'returned', 'the owner waits for ever')
  const open = owner.value as unknown as number[]
  for (const item of [command, sentinel]) {
    const ran = memory.load(runs, item)
    if (open.includes(item)) assert.equal(doomed?.state, 'terminated', 'it lives, and is silent')
    else assert.ok(ran > 0, `${names[item]} was answered, and has not run`)
  }
  assert.ok(memory.load(list, 0) >= 0)
}
