/**
 * What goes wrong in workers, the same for every pool. Each handler has one argument. Those that give
 * a promise are declared async, because poolifier goes by that.
 *
 * @module
 */
import { appendFileSync } from 'node:fs'
import { threadId } from 'node:worker_threads'

const forever = (): Promise<never> =>
  new Promise(() => {
    setInterval(() => {}, 1000)
  })

export const echo = (value: unknown): unknown => value

/** Who runs this. */
export const place = (): string => `${process.pid}/${threadId}`

export function exit(code: number): never {
  process.exit(code)
}

/** As the system does when it is short of memory. */
export async function killProcess(): Promise<never> {
  process.kill(process.pid, 'SIGKILL')
  return forever()
}

/** A line in a file, and the end of the thread. */
export function markAndExit({ file, line }: { file: string; line: number }): never {
  mark({ file, line })
  process.exit(7)
}

export async function throwInTimer(): Promise<never> {
  setTimeout(() => {
    throw new RangeError('in a timer')
  }, 1)
  return forever()
}

export async function rejectUnhandled(): Promise<never> {
  void Promise.reject(new RangeError('nobody handles it'))
  return forever()
}

/** Small objects: where one large allocation fails, V8 ends the process and not the thread. */
export function fillHeap(): never {
  const all: unknown[][] = []
  let last: unknown = null
  for (;;) {
    const some = Array.from({ length: 100 }, (_, index) => ({ index }))
    last = { some, last }
    if (all.length < 1000) all.push(some)
  }
}

export function overflow(): number {
  return 1 + overflow()
}

const uncloneable = {
  function: () => () => {},
  getter: () => ({
    get value(): never {
      throw new RangeError('from the getter')
    },
  }),
  proxy: () => new Proxy({}, {}),
}

/** Gives what cannot be cloned. */
export const give = (kind: keyof typeof uncloneable): unknown => uncloneable[kind]()

class OwnError extends RangeError {
  override name = 'OwnError'
  code = 'E_OWN'
  details = { list: [1, 2] }
}

export function fail(kind: 'own' | 'many' | 'dom'): never {
  if (kind === 'dom') throw new DOMException('of the platform', 'NotSupportedError')
  if (kind === 'many')
    throw new AggregateError([new TypeError('one'), new RangeError('two')], 'many')
  throw new OwnError('no', { cause: new TypeError('why') })
}

/** A line in a file. */
export function mark({ file, line }: { file: string; line: number }): number {
  appendFileSync(file, `${line}\n`)
  return line
}

/** Says that it runs, and computes for ever. */
export function spin(file: string): never {
  mark({ file, line: 0 })
  for (;;);
}

/** Says that it runs, and waits for ever, without minding any signal. */
export async function wait(file: string): Promise<never> {
  mark({ file, line: 0 })
  return forever()
}

/** Says that it runs, and answers a moment later. */
export const soon = async (file: string): Promise<string> => answerAfter(100, file)

/** Says that it runs, and answers later. */
export const later = async (file: string): Promise<string> => answerAfter(1000, file)

async function answerAfter(ms: number, file: string): Promise<string> {
  mark({ file, line: 0 })
  await new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
  return 'done'
}
