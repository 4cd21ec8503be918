/**
 * The handlers of the load. The first argument of each is the place of its work in the ledger.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { WorkQueue } from 'userworker'
import { current, transfer } from 'userworker/current'

/** Where begins are counted: see `Ledger`. */
export interface Marks {
  readonly begun?: Int32Array
  readonly begunFile?: string
}

let marks: Marks = {}
let file = -1

export function setup(given: Marks): void {
  marks = given
  if (given.begunFile !== undefined) file = openSync(given.begunFile, 'a')
}

export function teardown(): void {
  if (file >= 0) closeSync(file)
}

/** @param place - below 0: it is not counted */
function begin(place: number): void {
  if (place < 0) return
  if (marks.begun !== undefined) Atomics.add(marks.begun, place, 1)
  if (file >= 0) writeSync(file, new Uint8Array(Int32Array.of(place).buffer))
}

function compute(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

export function add(place: number, a: number, b: number): number {
  begin(place)
  return a + b
}

export function echo(place: number, value: unknown): unknown {
  begin(place)
  return value
}

/** Adds one to each byte, and gives the same memory back. */
export function move(place: number, bytes: Uint8Array): Uint8Array {
  begin(place)
  for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] as number) + 1
  return transfer(bytes, [bytes.buffer as ArrayBuffer])
}

/** Computes for a while, or waits outside of JavaScript. */
export function hold(place: number, ms: number, blocks: boolean): string {
  begin(place)
  if (!blocks) compute(ms)
  else current().blocking(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms))
  return 'held'
}

/** Waits so long, or until it is told to end. */
export async function rest(place: number, ms: number): Promise<string> {
  begin(place)
  const { signal } = current()
  if (signal.aborted) return 'told'
  return await new Promise((resolve) => {
    const timer = setTimeout(() => resolve('rested'), ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve('told')
    })
  })
}

/** A work of a key: whether it is alone, and after those before it. */
export function inLine(place: number, line: Int32Array, number: number): string {
  begin(place)
  const others = Atomics.add(line, 1, 1)
  const before = Atomics.exchange(line, 0, number)
  Atomics.sub(line, 1, 1)
  return others === 0 && before < number ? 'in order' : `${others} beside, ${before} before`
}

export function steps(place: number, count: number): number {
  begin(place)
  for (let step = 1; step <= count; step++) current().progress(step)
  return count
}

export async function* items(place: number, count: number): AsyncGenerator<number> {
  begin(place)
  for (let item = 0; item < count; item++) {
    if (item % 8 === 7) await new Promise((resolve) => setImmediate(resolve))
    yield item
  }
}

export function fail(place: number): never {
  begin(place)
  throw new RangeError('as asked')
}

export function exit(place: number): never {
  begin(place)
  process.exit(7)
}

export async function uncaught(place: number): Promise<never> {
  begin(place)
  setImmediate(() => {
    throw new RangeError('uncaught')
  })
  return await new Promise(() => {})
}

export function spin(place: number): never {
  begin(place)
  for (;;);
}

export function fillHeap(place: number): never {
  begin(place)
  let all: unknown = null
  for (;;) all = { all }
}

/** Uses a queue of its own, inside its thread. */
export async function nested(place: number, below: number, count: number): Promise<number> {
  begin(place)
  const module = new URL(import.meta.url)
  const queue = new WorkQueue<typeof import('./works.js')>(module, {
    name: 'nested',
    maxWorkers: 1,
    data: {},
  })
  const results = Array.from({ length: count }, (_, at) => queue.run('add', [at, below, at]))
  const sums = await Promise.all(results)
  await queue.close()
  return sums.reduce((sum, each) => sum + each, 0)
}

/** Beside the works: frees what it can. */
export function collect(): boolean {
  globalThis.gc?.()
  return true
}
