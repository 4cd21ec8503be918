/**
 * Workers without a queue, and owners with all that is theirs.
 *
 * @module
 */
import { Owner, UserWorker } from 'userworker'
import type { Way } from '../worker-function.js'
import { adding } from './adding.js'
import { oneOf, passing, pause, queueOf, type Actor, type Stage } from './actor.js'

const module = new URL('../worker-function.js', import.meta.url)
const ways: readonly Way[] = ['sleep', 'wait', 'spin', 'return']

/** A worker is made, has everything done to it that can be, and is stopped or killed. */
export function workers(stage: Stage): Actor {
  const { ledger, dice } = stage
  return passing('workers', async () => {
    const way = oneOf(dice, ways)
    const end = oneOf(dice, ['stop', 'stop', 'kill', 'never started'] as const)
    const codes = { stop: [42], kill: way === 'return' ? [42, -9] : [-9], 'never started': [-4] }
    await ledger.work(
      `worker, ${end}`,
      async () => {
        const worker = await UserWorker.create(module, { name: 'soak', data: way })
        if (end === 'never started') return await worker.stop()
        await worker.start()
        worker.wake()
        if (way !== 'return') await poke(worker, dice(3))
        if (end === 'kill') worker.kill()
        return await (end === 'kill' ? worker.join() : worker.stop())
      },
      { value: (code) => codes[end].includes(code) },
    )
  })
}

async function poke(worker: UserWorker, how: number): Promise<void> {
  if (how === 0) {
    await worker.park()
    worker.unpark()
  }
  if (how === 1) {
    await worker.freeze()
    worker.thaw()
  }
  await pause(5)
}

/** An owner with a queue and a worker is frozen and thawed, and stopped or killed. */
export function owners(stage: Stage): Actor {
  const { ledger, dice } = stage
  return passing('owners', async () => {
    const owner = new Owner({ name: 'soak', limits: { workers: 2 } })
    const isKilled = dice(2) === 0
    const errors = isKilled ? ['ERR_OWNER_KILLED'] : []
    const queue = queueOf(ledger, { name: 'owned', owner, maxWorkers: 2 })
    const works = Array.from({ length: 10 }, () => adding(stage, queue, 'add, owned', {}, errors))
    const worker = ledger.work(
      'worker, owned',
      async () => {
        const made = await UserWorker.create(module, { data: 'sleep', owner })
        await made.start()
        return await made.join()
      },
      { value: (code) => code === 42 || code === -9, errors: ['EAGAIN', 'ENOSYS', ...errors] },
    )
    await pause(dice(60))
    const frozen = ledger.step('owner: freeze', () => owner.freeze({ deadlineMs: 500 }))
    await pause(dice(20))
    owner.thaw()
    await frozen
    if (isKilled) owner.kill(new Error('of the soak'))
    else await Promise.all(works)
    await ledger.step('owner: stop', () => owner.stop())
    await Promise.all([...works, worker])
    await ledger.close('owned', queue)
  })
}
