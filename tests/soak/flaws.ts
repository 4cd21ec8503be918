/**
 * What the soak must find, done on purpose: so that it is seen to be able to fail.
 *
 * @module
 */
import { openSync } from 'node:fs'
import { UserWorker } from 'userworker'
import type { Ledger } from './ledger.js'

const kept: unknown[] = []

/** Each is done before each sample. */
export const flaws: Readonly<Record<string, (ledger: Ledger) => void | Promise<void>>> = {
  lost: (ledger) => {
    void ledger.work('flaw: lost', () => new Promise(() => {}), {})
  },
  twice: (ledger) => {
    void ledger.work('flaw: twice', async (place) => Atomics.add(ledger.begun, place, 2), {
      value: () => true,
    })
  },
  wrong: (ledger) => {
    void ledger.work('flaw: wrong', async () => 1, { value: (one) => one === 2 })
  },
  descriptor: () => {
    kept.push(openSync('/dev/null', 'r'))
  },
  memory: () => {
    kept.push(Array.from({ length: 20_000 }, (_, at) => ({ at })))
  },
  worker: async () => {
    const function_ = new URL('./worker-function.js', import.meta.url)
    const worker = await UserWorker.create(function_, { name: 'flaw', data: 'sleep' })
    await worker.start()
    kept.push(worker.unref())
  },
}
