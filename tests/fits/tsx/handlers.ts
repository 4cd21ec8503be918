import { setTimeout as sleep } from 'node:timers/promises'
import { current } from 'userworker/current'
import { Refusal } from './refusal.js'

export function add(a: number, b: number): number {
  return a + b
}

export function refuse(file: string): never {
  throw Object.assign(new RangeError(`no room for ${file}`), { code: Refusal.Room, file })
}

export async function place(counter: Int32Array, ms: number): Promise<number> {
  await sleep(ms)
  return Atomics.add(counter, 0, 1) + 1
}

export async function untilAborted(): Promise<void> {
  await sleep(60_000, undefined, { signal: current().signal })
}
