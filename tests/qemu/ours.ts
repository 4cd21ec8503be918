/**
 * Our own backend, as its command serves it.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { existsSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.js'
import type { Backend, Served, Wish } from './backend.js'
import { end, start, until } from './processes.js'

const command = join(root, 'dist/cli/main.js')

export const ours: Backend = {
  name: 'userworker',
  programs: [],
  lacks: [],
  async serve(wish) {
    // One that was killed has left its socket behind.
    rmSync(wish.socket, { force: true })
    const args = [command, 'serve-disk', wish.file, '--socket', wish.socket, ...optionsOf(wish)]
    const child = start(process.execPath, args, ['ignore', 'ignore', 'inherit'])
    const served = new Command(child, wish.file)
    await until('the disk is served', () => !served.isAlive || existsSync(wish.socket))
    if (!served.isAlive) throw new Error('the disk is not served')
    return served
  },
}

function optionsOf({ queues, overlay, failingReads }: Wish): string[] {
  const options = ['--queues', `${queues}`]
  if (overlay !== undefined) options.push('--overlay', overlay)
  if (failingReads !== undefined) options.push('--faults', JSON.stringify(failingReads))
  return options
}

class Command implements Served {
  readonly #child: ChildProcess
  readonly #file: string

  constructor(child: ChildProcess, file: string) {
    this.#child = child
    this.#file = file
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  async close(): Promise<void> {
    await end(this.#child, 'SIGTERM')
    if (this.#child.exitCode !== 0) throw new Error(`exit code ${this.#child.exitCode}`)
  }

  async kill(): Promise<void> {
    await end(this.#child, 'SIGKILL')
  }

  resize(bytes: number): Promise<void> {
    truncateSync(this.#file, bytes)
    return Promise.resolve()
  }
}
