/**
 * Trees to press, and the demo as a process of its own with a folder for temporary files of its
 * own.
 *
 * @module
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { mainFile } from '../command-line.fixture.js'

/** A test, as far as it is needed here: `after` runs at its end. */
interface Test {
  after(run: () => void): void
}

/**
 * Whoever is root may read everything, so tests of what may not be read are run as another user.
 */
export const nobody: { uid?: number; gid?: number } =
  process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

const longestRunMs = 60_000

/** An empty folder that is gone when the test ends. Everybody may read and write there. */
export function freshFolder(test: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
  chmodSync(folder, 0o777)
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Makes a tree that is gone when the test ends; names may be bytes, one for each character. */
export function plant(test: Test, files: Record<string, string | Buffer>): string {
  const root = freshFolder(test)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(bytesOf(root, dirname(path)), { recursive: true })
    writeFileSync(bytesOf(root, path), content)
  }
  return root
}

function bytesOf(root: string, latin1: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(latin1, 'latin1')])
}

/** UTF-8 text as {@link plant} takes names. */
export function utf8(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** Content that no press makes small, and that is the same in each run. */
export function noise(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let state = 1
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

/** Files of some size each, so that a round lasts a while. */
export function manyFiles(count: number, length: number): Record<string, Buffer> {
  const content = noise(length)
  const path = (index: number): string => `folder ${index % 7}/file ${index}`
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [path(index), content]))
}

/** A demo that runs. */
export interface Demo {
  readonly child: ChildProcessWithoutNullStreams
  /** Its folder for temporary files. */
  readonly scratch: string
  /** Resolves when it has printed this. */
  printed(text: string): Promise<void>
  readonly ended: Promise<Ended>
}

/** What a demo left behind. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly lastLine: string
  /** What is in its folder for temporary files. */
  readonly left: string[]
}

interface How {
  readonly uid?: number
  readonly gid?: number
  readonly cwd?: string
  /** A program that runs the demo, and its arguments before the demo's. */
  readonly through?: readonly string[]
  /** Gives it a terminal, so big. What is written to its input is typed there. */
  readonly terminal?: { readonly columns: number; readonly rows: number }
}

/** Starts `userworker demo` with these arguments. It is ended with the test, or after a minute. */
export function startDemo(test: Test, args: string[], options: How = {}): Demo {
  const { through = [], terminal, ...how } = options
  const scratch = freshFolder(test)
  const words = [...through, process.execPath, mainFile, 'demo', ...args]
  const [program = '', ...rest] = terminal === undefined ? words : onTerminal(words, terminal)
  const child = spawn(program, rest, {
    ...how,
    env: { ...process.env, TERM: 'xterm', TMPDIR: scratch },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: longestRunMs,
    killSignal: 'SIGKILL',
  })
  test.after(() => child.kill('SIGKILL'))
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8')
    child[name].on('data', (part: string) => (text[name] += part))
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const lastLine = text.stdout.trimEnd().split('\n').at(-1) ?? ''
      resolve({ code, signal, ...text, lastLine, left: readdirSync(scratch) })
    })
  })
  const printed = (wanted: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (text.stdout.includes(wanted)) resolve()
      }
      look()
      child.stdout.on('data', look)
      child.once('close', () => {
        reject(new Error(`it ended without '${wanted}':\n${text.stdout}${text.stderr}`))
      })
    })
  return { child, scratch, printed, ended }
}

function onTerminal(words: string[], { columns, rows }: NonNullable<How['terminal']>): string[] {
  const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
  return ['script', '-qec', `stty cols ${columns} rows ${rows}; exec ${quoted}`, '/dev/null']
}

/** Runs `userworker demo` with these arguments to its end. */
export function runDemo(test: Test, args: string[], how?: How): Promise<Ended> {
  return startDemo(test, args, how).ended
}
