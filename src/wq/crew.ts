/**
 * What a caller may ask of all workers of a queue.
 *
 * @module
 */
import { captureApart, notCarried } from '../carry/index.js'
import { Pending } from '../os/pending.js'
import type { Accounts } from './dispatch.js'
import { notCloneable } from './ends.js'
import type { MaxWorkers } from './maxima.js'
import type { Server } from './server.js'

/** Calls a handler once in each worker. */
export async function broadcast(
  { bounded, unbounded }: Accounts,
  name: string,
  args: readonly unknown[],
): Promise<unknown[]> {
  const carried = captureApart()
  const servers = [...bounded.servers, ...unbounded.servers]
  const serving = servers.filter(({ state }) => state === 'serving')
  if (serving.length === 0) checkCloneable(name, args)
  const pending = new Pending<unknown[]>(`broadcast of '${name}'`)
  void Promise.all(serving.map((server) => call(server, name, args, carried))).then(
    (results) => pending.resolve(results),
    (error: Error) => pending.reject(error),
  )
  return await pending.promise
}

/** What cannot be sent is refused also while there is nobody to send it to. */
function checkCloneable(name: string, args: readonly unknown[]): void {
  try {
    structuredClone(args)
  } catch (cause) {
    throw notCloneable({ name }, cause)
  }
}

async function call(
  server: Server,
  name: string,
  args: readonly unknown[],
  carried: readonly unknown[],
): Promise<unknown> {
  let answer: Promise<unknown>
  try {
    answer = server.call(name, args, carried)
  } catch (cause) {
    throw notCarried(carried, cause) ?? notCloneable({ name }, cause)
  }
  return await answer
}

/** Changes the maxima (WQ-3). @returns those before */
export function setMaxWorkers(accounts: Accounts, max: MaxWorkers): Required<MaxWorkers> {
  const before = {
    bounded: accounts.bounded.growth.max,
    unbounded: accounts.unbounded.growth.max,
  }
  if (max.bounded !== undefined) accounts.bounded.growth.max = max.bounded
  if (max.unbounded !== undefined) accounts.unbounded.growth.max = max.unbounded
  return before
}

/** Makes so many bounded workers, and waits for them. */
export async function makeReady(
  { bounded }: Accounts,
  name: string,
  count: number,
  refusal: Error | null,
): Promise<void> {
  if (refusal !== null) throw refusal
  const pending = new Pending<void>(`ready of '${name}'`)
  bounded.whenReady(count, (error) => {
    if (error === null) pending.resolve()
    else pending.reject(error)
  })
  await pending.promise
}
