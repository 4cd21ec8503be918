/**
 * The processes of the test, each of which is ended whatever happens.
 *
 * @module
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'

const running = new Set<ChildProcess>()
const folders = new Set<string>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => process.exit(1))

/** Starts a program that does not outlive this process. */
export function start(program: string, args: readonly string[], stdio: StdioOptions): ChildProcess {
  const child = spawn(program, args, { stdio })
  running.add(child)
  child.once('exit', () => running.delete(child))
  child.once('error', () => running.delete(child))
  return child
}

/** Ends a program. Resolves when it has. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

/** A program that serves until it is ended. */
export class Program {
  protected readonly child: ChildProcess

  constructor(child: ChildProcess) {
    this.child = child
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** @throws Error: it did not end in good order */
  async close(): Promise<void> {
    await end(this.child, 'SIGTERM')
    if (this.child.exitCode !== 0) throw new Error(`exit code ${this.child.exitCode}`)
  }

  async kill(): Promise<void> {
    await end(this.child, 'SIGKILL')
  }
}

/** From now on the folder is removed at the end. */
export function removeAtEnd(folder: string): void {
  folders.add(folder)
}

/** Waits until something holds; looks again and again. @throws Error: it does not within a time */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
