/**
 * Handlers for the tests of child processes.
 *
 * @module
 */
import { appendFileSync } from 'node:fs'
import { current } from '../current.js'

export function add(one: number, other: number): number {
  return one + other
}

export function echo(value: unknown): unknown {
  return value
}

export const identity = (): Record<string, unknown> => ({
  pid: process.pid,
  title: process.title,
  argv: process.argv.slice(2),
  colour: process.env['COLOUR'],
  execArgv: process.execArgv,
  hasIpc: process.send !== undefined,
})

export async function work(): Promise<Record<string, unknown>> {
  await new Promise((resolve) => {
    setTimeout(resolve, 1)
  })
  const { id, key, name } = current()
  return { id, key, name }
}

export function exit(code: number): never {
  process.exit(code)
}

export function reallyExit(code: number): never {
  return (process as unknown as { reallyExit(code: number): never }).reallyExit(code)
}

export function abort(): never {
  process.abort()
}

export function killSelf(signal: NodeJS.Signals): Promise<never> {
  process.kill(process.pid, signal)
  return new Promise(() => {})
}

class OwnError extends RangeError {
  override name = 'OwnError'
  code = 'E_OWN'
}

export function throwInTimer(): Promise<never> {
  setTimeout(() => {
    throw new OwnError('from the timer')
  }, 1)
  return new Promise(() => {})
}

export function rejectUnhandled(): Promise<never> {
  void Promise.reject(new OwnError('unhandled'))
  return new Promise(() => {})
}

/** Small objects, one by one. */
export function fillHeap(): never {
  let all: unknown = null
  for (;;) all = { all }
}

/** One allocation that no heap of the test has room for. */
export function allocateMuch(): number {
  return Array.from<number>({ length: 5e7 })
    .fill(0)
    .map((_, index) => ({ index })).length
}

/** Longer than any array can be. */
export function allocateTooMuch(): number {
  return 'x'.repeat(2 ** 29 - 30).split('').length
}

export function spin(): never {
  for (;;);
}

export async function forever(): Promise<never> {
  return new Promise(() => {})
}

/** Resolves when its signal is aborted, with the reason. */
export async function untilAborted(): Promise<unknown> {
  const { signal } = current()
  current().progress('begun')
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true })
  })
  return signal.reason
}

/** Leaves a line when it is called, then answers in its time, or takes the process along. */
export async function mark(file: string, place: number, deadly: boolean): Promise<number> {
  appendFileSync(file, `${place}\n`)
  await new Promise((resolve) => {
    setTimeout(resolve, 20)
  })
  if (deadly) process.kill(process.pid, 'SIGKILL')
  return place
}

export function* countTo(last: number): Generator<number> {
  for (let number = 1; number <= last; number++) {
    current().progress(number)
    yield number
  }
}

export async function* countForEver(file: string): AsyncGenerator<number> {
  try {
    for (let number = 1; ; number++) {
      appendFileSync(file, '.')
      yield number
    }
  } finally {
    appendFileSync(file, 'end')
  }
}

export function blocked(value: unknown): unknown {
  return current().blocking(() => value)
}

/** Gives shared memory, in one of two ways. */
export function share(how: 'result' | 'told'): unknown {
  const memory = new SharedArrayBuffer(4)
  if (how === 'told') current().progress({ memory })
  return [memory]
}

export function* shareItems(): Generator {
  yield 1
  yield new Map([['memory', new SharedArrayBuffer(4)]])
}

/** Takes memory that is not freed. */
const kept: Uint8Array[] = []
export function keep(mb: number): number {
  kept.push(new Uint8Array(mb * 2 ** 20).fill(1))
  return process.pid
}

/** Says on the standard error, and goes on. */
export function complain(text: string): void {
  process.stderr.write(text)
}
