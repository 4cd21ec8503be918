/**
 * Programs of these tests, each in a process of its own: what they say, what the system says of them.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** How a process has ended. */
export type Ending = readonly [code: number | null, signal: NodeJS.Signals | null]

/** How a child is started. */
export interface Start {
  /** A command that runs the one behind it, such as `prlimit`, with its arguments. */
  readonly under?: readonly string[]
  readonly node?: string
  readonly args?: readonly string[]
  readonly user?: number
}

/** A line that a child prints as JSON: an object with one key, its kind. */
type Said = Readonly<Record<string, unknown>>

/** A machine under load runs each of these programs within seconds; this long is a hang. */
const patienceMs = 45_000

export class Child {
  readonly process: ChildProcess
  readonly pid: number
  readonly ended: Promise<Ending>
  /** What it wrote that is no line of ours, and to stderr. */
  other = ''
  readonly #said: Said[] = []
  #heard: () => void = () => {}
  #isOver = false

  /** Starts a fixture of this folder; it is ended with the test. */
  constructor(t: TestContext, fixture: string, start: Start = {}) {
    const { under = [], node = process.execPath, args = [], user } = start
    const script = fileURLToPath(new URL(fixture, import.meta.url))
    const [file = node, ...rest] = [...under, node, script, ...args]
    // Another Node counts in another way what it ran: see `npm run coverage`.
    const { NODE_V8_COVERAGE: _, ...uncounted } = process.env
    this.process = spawn(file, rest, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: node === process.execPath ? process.env : uncounted,
      ...(user === undefined ? {} : { uid: user, gid: user }),
    })
    this.pid = this.process.pid ?? 0
    this.ended = once(this.process, 'close').then(([code, signal]) => {
      this.#isOver = true
      this.#heard()
      return [code, signal] as Ending
    })
    t.after(() => this.process.kill('SIGKILL'))
    this.process.stderr?.on('data', (text: Buffer) => (this.other += text.toString()))
    this.process.stdin?.on('error', () => {})
    const lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream })
    lines.on('line', (line) => {
      if (line.startsWith('{')) this.#said.push(JSON.parse(line) as Said)
      else this.other += `${line}\n`
      this.#heard()
    })
  }

  /** Writes a line to it. */
  tell(line: string): void {
    this.process.stdin?.write(`${line}\n`)
  }

  /** Waits for the next line of that kind. */
  async says<T = unknown>(kind: string): Promise<T> {
    const timer = setTimeout(() => this.process.kill('SIGKILL'), patienceMs)
    try {
      for (;;) {
        const place = this.#said.findIndex((said) => kind in said)
        if (place >= 0) return this.#said.splice(place, 1)[0]?.[kind] as T
        if (this.#isOver) throw new Error(`It has ended without '${kind}': ${this.other}`)
        await new Promise<void>((resolve) => {
          this.#heard = resolve
        })
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Its threads as the system shows them. */
  threads(): Thread[] {
    return numbers(`/proc/${this.pid}/task`).flatMap((tid) => threadOf(this.pid, tid) ?? [])
  }

  /** The CPU time it has used, in milliseconds; /proc counts in steps of 10. */
  cpuMs(): number {
    const fields = statOf(`/proc/${this.pid}/stat`)
    return (Number(fields[11]) + Number(fields[12])) * 10
  }
}

/** A thread at one moment. */
export interface Thread {
  readonly tid: number
  readonly name: string
  /** One letter: proc_pid_stat(5). */
  readonly state: string
}

function threadOf(pid: number, tid: number): Thread | null {
  try {
    const path = `/proc/${pid}/task/${tid}`
    const name = readFileSync(`${path}/comm`, 'utf8').trimEnd()
    return { tid, name, state: statOf(`${path}/stat`)[0] ?? '' }
  } catch {
    return null // It has ended meanwhile.
  }
}

/** The fields behind the name, which may hold spaces. */
function statOf(path: string): string[] {
  return readFileSync(path, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
}

function numbers(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number)
  } catch {
    return []
  }
}

/** Waits until something is so. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + patienceMs
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`It did not come to pass: ${what}`)
    await pause(5)
  }
}

/** So many milliseconds in which something must not happen. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
