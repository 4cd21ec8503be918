/**
 * Our own backend, as its command serves it.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.js'
import type { Backend, Served, Wish } from './backend.js'
import type { Part } from './image.js'
import { Program, start, until } from './processes.js'

const sector = 512
/** It is printed when the disk is served. */
const socketOption = '-chardev'
const command = join(root, 'dist/cli/main.js')

export const ours: Backend = {
  name: 'userworker',
  programs: [],
  lacks: [],
  async serve(wish) {
    const args = [command, 'serve-disk', wish.file, '--socket', wish.socket, ...optionsOf(wish)]
    const child = start(process.execPath, args, ['ignore', 'pipe', 'inherit'])
    const served = new Command(child, wish.file)
    let said = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    // Not the socket: one that was killed has left its own behind.
    await until('the disk is served', () => !served.isAlive || said.includes(socketOption))
    if (!served.isAlive) throw new Error('the disk is not served')
    return served
  },
}

function optionsOf({ queues, overlay, failingReads }: Wish): string[] {
  const options = ['--queues', `${queues}`]
  if (overlay !== undefined) options.push('--overlay', overlay)
  if (failingReads !== undefined) options.push('--faults', faultsOf(failingReads))
  return options
}

/** In the language of `--faults`, which counts sectors. */
function faultsOf({ offset, length }: Part): string {
  return `error:read:sectors=${offset / sector}-${(offset + length) / sector - 1}`
}

class Command extends Program implements Served {
  readonly #file: string

  constructor(child: ChildProcess, file: string) {
    super(child)
    this.#file = file
  }

  resize(bytes: number): Promise<void> {
    truncateSync(this.#file, bytes)
    return Promise.resolve()
  }
}
