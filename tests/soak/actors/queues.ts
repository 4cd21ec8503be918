/**
 * Queues that are made and closed all the time: plain ones, those whose threads die, and nested ones.
 *
 * @module
 */
import { adding } from './adding.js'
import { oneOf, passing, pause, queueOf, type Actor, type Stage } from './actor.js'

/** A queue is made, has some works, and is closed, sometimes in the midst of them. */
export function shortLived(stage: Stage): Actor {
  const { ledger, dice } = stage
  return passing('short-lived', async () => {
    const queue = queueOf(ledger, {
      name: 'short',
      maxWorkers: { bounded: 1 + dice(2), unbounded: 1 },
      concurrency: { bounded: 1 + dice(3) },
      idleTimeoutMs: oneOf(dice, [0, 20, 5000]),
      ...(dice(3) === 0 ? { recycle: { works: 5 } } : {}),
      ...(dice(3) === 0 ? { queueLimit: 20, onFull: 'cancel-oldest' } : {}),
    })
    const early = dice(2) === 0
    const errors = ['ECANCELED']
    const works = Array.from({ length: 30 }, () => {
      const options = { unbounded: dice(3) === 0, ...(dice(2) === 0 ? { key: dice(3) } : {}) }
      return adding(stage, queue, 'add, short-lived', options, errors)
    })
    const waits = ledger.work(
      'rest, short-lived',
      (place) => queue.run('rest', [place, 20], { unbounded: true }),
      { value: (said) => said === 'rested' || said === 'told', errors },
    )
    if (!early) await Promise.all(works)
    await ledger.close('short-lived', queue)
    await Promise.all([...works, waits])
  })
}

/** What ends a thread, and what its work rejects with. */
const deaths = [
  ['exit', ['ERR_WORKER_EXITED']],
  ['uncaught', ['uncaught', 'ERR_WORKER_DIED']],
  ['fillHeap', ['ERR_WORKER_OUT_OF_MEMORY']],
  ['spin', ['ETIME']],
] as const

/** Threads die, and the bounded works beside come right: each has its thread alone. */
export function deadly(stage: Stage): Actor {
  const { ledger, dice } = stage
  return passing('deadly', async () => {
    const queue = queueOf(ledger, {
      name: 'deadly',
      maxWorkers: { bounded: 2, unbounded: 1 },
      resourceLimits: { maxOldGenerationSizeMb: 16 },
    })
    const works: Promise<unknown>[] = []
    for (let count = 0; count < 4; count++) {
      const [name, errors] = deaths[
        dice(8) === 0 ? 2 : oneOf(dice, [0, 1, 3])
      ] as (typeof deaths)[0]
      const options = name === ('spin' as string) ? { timeoutMs: 20, killAfterMs: 10 } : {}
      works.push(ledger.work(name, (place) => queue.run(name, [place], options), { errors }))
      for (let more = 0; more < 5; more++) works.push(adding(stage, queue, 'add, beside a death'))
    }
    await Promise.all(works)
    await ledger.close('deadly', queue)
  })
}

/** So often is a thread ended that has threads: Node itself loses 1.4 kB each time, see `soak.md`. */
const mostKills = 40

/** A work has a queue of its own in its thread, which is sometimes ended in the midst of it. */
export function nested(stage: Stage): Actor {
  const { ledger, dice } = stage
  let kills = 0
  return passing('nested', async () => {
    const queue = queueOf(ledger, { name: 'nesting', maxWorkers: 1 })
    const [below, count] = [dice(1000), 1 + dice(10)]
    const isKilled = kills < mostKills && dice(2) === 0
    if (isKilled) kills++
    const options = isKilled ? { timeoutMs: 1 + dice(100), killAfterMs: 0 } : {}
    const sum = count * below + (count * (count - 1)) / 2
    await ledger.work(
      isKilled ? 'nested, killed' : 'nested',
      (place) => queue.run('nested', [place, below, count], options),
      { value: (given) => given === sum, errors: isKilled ? ['ETIME'] : [] },
    )
    await ledger.close('nested', queue)
    await pause(10)
  })
}
