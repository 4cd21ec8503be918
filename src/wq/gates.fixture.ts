/**
 * Handlers that say in shared words what they do, and wait there until they are let go.
 *
 * @module
 */
import { current } from './current.js'

export { echo, meet, nothing, waitFor, untilAborted, exit, fail, spin } from './handlers.fixture.js'

/** Adds one to a word. */
export function count(words: Int32Array, index = 0): number {
  return Atomics.add(words, index, 1) + 1
}

/** Writes down who ran: the first word is how many did, the others who, in order. */
export function note(order: Int32Array, mark: number): void {
  const place = Atomics.add(order, 0, 1) + 1
  if (place < order.length) Atomics.store(order, place, mark)
}

/** Awaits the gate; its thread may run other works meanwhile. */
export async function awaited(begun: Int32Array, gate: Int32Array): Promise<void> {
  Atomics.add(begun, 0, 1)
  while (Atomics.load(gate, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** Keeps its thread at the gate, and does not say so to the queue. */
export function held(begun: Int32Array, gate: Int32Array): void {
  Atomics.add(begun, 0, 1)
  Atomics.wait(gate, 0, 0)
}

/** Keeps its thread at the gate, inside `current().blocking()`. */
export function blocked(begun: Int32Array, gate: Int32Array): void {
  current().blocking(() => held(begun, gate))
}

/** Goes through three gates: at the second it blocks, at the others it counts as running. */
export function runsBlocksRuns(begun: Int32Array, gates: readonly Int32Array[]): void {
  const [first, second, third] = gates as [Int32Array, Int32Array, Int32Array]
  held(begun, first)
  try {
    current().blocking(() => {
      held(begun, second)
      throw new Error('from inside')
    })
  } catch {
    // It does not count as blocking any more.
  }
  held(begun, third)
}

/** Waits until so many works have come here at the same time. */
export async function rendezvous(here: Int32Array, works: number): Promise<void> {
  Atomics.add(here, 0, 1)
  while (Atomics.load(here, 0) < works) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** What this thread may run on, as the system tells it. */
export async function ownCpus(): Promise<string> {
  const { readFileSync } = await import('node:fs')
  const status = readFileSync('/proc/thread-self/status', 'utf8')
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? ''
}

let beats: NodeJS.Timeout | null = null

/** Begins to count in a word every 50 ms, for as long as the thread lives. */
export function beat(word: Int32Array): void {
  beats ??= setInterval(() => Atomics.add(word, 0, 1), 50).unref()
}

/** What the works before have left behind: timers that ask later for the work they belong to. */
export function askLater(seen: Int32Array, gate: Int32Array): number {
  const { id } = current()
  const timer = setInterval(() => {
    if (Atomics.load(gate, 0) === 0) return
    clearInterval(timer)
    Atomics.store(seen, 0, current().id)
  }, 1)
  return id
}

/** Whether this work was told to end, in both ways in which it can see that. */
export function wasTold(): boolean {
  const { signal } = current()
  current().checkpoint()
  return signal.aborted
}

/** Gives its mark back, or throws it, after a while. */
export async function echoOrThrow(mark: number, ms: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, ms))
  if (mark % 2 === 0) throw new Error(`thrown ${mark}`)
  return `given ${mark}`
}

/** Adds one to a word, and ends its thread. */
export function countAndExit(words: Int32Array, index: number): never {
  Atomics.add(words, index, 1)
  process.exit(3)
}
