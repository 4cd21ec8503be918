/**
 * The sleep of a vhost worker, which its owner's bell ends, or a kick (`vhost/worker/work-list.ts` and `wake`, `doze`
 * of `worker/control.ts`, in the order of `runLoop`, `sleepBy`, `Crew` and `Reins`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, End, Model, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { command, listWordName, names, vring } from './vhost-items.js'
import { oneWorker, row, telling, workerCode, type WorkerCode } from './worker-code.js'

/** The vring and the command: nobody flushes here. */
const items = 2

interface Context {
  readonly words: memory.Words
  readonly list: memory.Words
  /** How often each item was asked for, and how often of these its last run has found. */
  readonly asked: memory.Words
  readonly seen: memory.Words
}

export default async function vhostSleep(code: Code): Promise<Protocol<Context>> {
  const real = await workerCode(code)
  const { at, doze, Field, listen, rouse, wake } = real
  const { add, begin, hasWork, makeList, take } = (await code(
    'vhost/worker/work-list.js',
  )) as typeof import('../../../src/vhost/worker/work-list.js')

  /** As `Reins.add`; the bell is a descriptor, and two rings of it before a look are one. */
  const order = ({ words, list, asked }: Context, model: Model): void => {
    memory.add(asked, command, 1)
    assert.ok(add(list, command), 'it is closed')
    if (wake(words, row)) model.post('bell', null)
  }

  /** As `Crew.#look`, which hears a kick; all that has come by then is one readiness. */
  const look = ({ list }: Context, model: Model, first: unknown): void => {
    for (let each = first; each !== undefined; each = model.tryReceive('bell'))
      if (each === 'kick') add(list, vring)
  }

  return {
    name: 'vhost-sleep',
    promise:
      'Whatever is added to a vhost worker, and whoever kicks it, a run of that begins after it: the ' +
      'worker never sleeps beside it; and one that is awake is not rung for.',
    setUp: () => ({
      words: oneWorker(real, 'loaded', 'start', 'enter'),
      list: makeList(items),
      asked: memory.allocate(items),
      seen: memory.allocate(items),
    }),
    threads: {
      worker(context, model) {
        const { words, list, asked, seen } = context
        const heard = listen(words, row)
        const taken = take(list)
        for (const item of taken) {
          begin(list, item)
          memory.store(seen, item, memory.load(asked, item))
        }
        if (taken.length > 0) {
          if (hasWork(list)) look(context, model, model.tryReceive('bell'))
          return model.again(null)
        }
        doze(words, row)
        if (listen(words, row) === heard && !hasWork(list))
          look(context, model, model.receive('bell'))
        rouse(words, row)
        return model.again(null)
      },
      owner(context, model) {
        order(context, model)
        order(context, model)
      },
      driver({ asked }, model) {
        memory.add(asked, vring, 1)
        model.post('bell', 'kick')
      },
    },
    check: (end, context) => {
      assert.ok(!hasWork(context.list), 'it sleeps beside a list that is not empty')
      check(real, end, context)
    },
    wordName: (index, context, words) =>
      words === context.words ? telling(real).wordName(index) : wordName(index, context, words),
    valueName: (value, index) =>
      index === at(row, Field.CONTROL) ? telling(real).valueName(value, index) : '',
  }
}

/** The worker sleeps, says so, and has run what was asked for. */
function check(
  { controlOf, Flag, hasFlag }: WorkerCode,
  { threads: { worker } }: End,
  { words, asked, seen }: Context,
): void {
  assert.equal(worker?.state, 'asleep')
  for (const item of [vring, command])
    assert.equal(
      memory.load(seen, item),
      memory.load(asked, item),
      `it sleeps beside a ${names[item]}`,
    )
  assert.ok(hasFlag(controlOf(words, row), Flag.DOZING), 'it sleeps, and does not say so')
}

function wordName(index: number, context: Context, words: memory.Words): string {
  if (words === context.list) return listWordName(index)
  return `${words === context.asked ? 'asked' : 'seen'} of ${names[index] ?? index}`
}
