/**
 * Carriers, and handlers that say what they find in them. Both sides import it.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { WorkQueue } from './queue.js'
import { carry, current } from './current.js'

/** Carried as it is, by value. */
export const request = new AsyncLocalStorage<unknown>()
carry('request', request)

/** Nobody changes it. */
export const tenant = new AsyncLocalStorage<Readonly<{ name: string }>>()
carry('tenant', tenant, { immutable: true })

class Account {
  constructor(readonly id: number) {}
}

/** What it is made of is sent. */
export const account = new AsyncLocalStorage<Account>()
carry('account', account, {
  capture: ({ id }) => (id === 0 ? undefined : id),
  restore: (id: number) => {
    if (id < 0) throw new RangeError(`no account ${id}`)
    return new Account(id)
  },
})
export const accountOf = (id: number): Account => new Account(id)

/** What a handler finds. */
export interface Seen {
  readonly request: unknown
  readonly tenant: string | undefined
  readonly account: number | undefined
}

export function seen(): Seen {
  const found = account.getStore()
  if (found !== undefined && !(found instanceof Account)) throw new TypeError('no Account')
  return { request: request.getStore(), tenant: tenant.getStore()?.name, account: found?.id }
}

export async function seenLater(): Promise<Seen[]> {
  const all = [seen()]
  await Promise.resolve()
  all.push(seen())
  await sleep(1)
  all.push(seen())
  await new Promise((resolve) => setImmediate(resolve))
  all.push(seen())
  return all
}

export function throwSeen(): never {
  throw Object.assign(new Error('as told'), { seen: seen() })
}

export function seenWith(...args: unknown[]): unknown {
  return { args, key: current().key, seen: seen() }
}

export async function* seenItems(): AsyncGenerator<Seen> {
  yield seen()
  await sleep(1)
  yield seen()
}

export async function seenAtAbort(begun: Int32Array): Promise<Seen> {
  const { signal } = current()
  Atomics.store(begun, 0, 1)
  return await new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(seen()))
  })
}

export function change(): unknown {
  const store = request.getStore() as { count: number }
  return ++store.count
}

export function changeTenant(): void {
  ;(tenant.getStore() as { name: string }).name = 'another'
}

export async function progress(): Promise<void> {
  current().progress(1)
  await sleep(1)
  current().progress(2)
}

let nested: WorkQueue | null = null

export async function seenBelow(): Promise<Seen> {
  nested ??= new WorkQueue(new URL(import.meta.url), { maxWorkers: 1 })
  return (await nested.run('seen')) as Seen
}

export async function teardown(): Promise<void> {
  await nested?.close()
}
