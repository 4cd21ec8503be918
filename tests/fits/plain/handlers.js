import { setTimeout as sleep } from 'node:timers/promises'
import { current } from 'userworker/current'

export function add(a, b) {
  return a + b
}

export function refuse(file) {
  throw Object.assign(new RangeError(`no room for ${file}`), { code: 'E_ROOM', file })
}

export async function place(counter, ms) {
  await sleep(ms)
  return Atomics.add(counter, 0, 1) + 1
}

export async function untilAborted() {
  await sleep(60_000, undefined, { signal: current().signal })
}
