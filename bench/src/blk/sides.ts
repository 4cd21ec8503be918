/**
 * Who serves the disk: ours, and the two ways of the daemon that comes with QEMU.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { command } from './library.js'

/** What is to be served. */
export interface Wish {
  readonly file: string
  readonly socket: string
  readonly queues: number
  readonly isDirect: boolean
}

export interface Side {
  readonly name: string
  /** The program and its arguments. */
  readonly call: (wish: Wish) => readonly string[]
}

/** A process that serves. */
export interface Served {
  readonly pid: number
  end(): Promise<void>
}

export const ours: Side = {
  name: 'ours',
  call: ({ file, socket, queues, isDirect }) => {
    const args = [process.execPath, command, 'serve-disk', file, '--socket', socket]
    return [...args, '--queues', `${queues}`, ...(isDirect ? ['--direct'] : [])]
  },
}

const daemon = (name: string, aio: string): Side => ({
  name,
  call: ({ file, socket, queues, isDirect }) => {
    const cache = isDirect ? ',cache.direct=on' : ''
    const node = `driver=file,node-name=file,filename=${file},aio=${aio}${cache}`
    const place = `addr.type=unix,addr.path=${socket}`
    const nodes = ['--blockdev', node, '--blockdev', 'driver=raw,node-name=disk,file=file']
    const served = 'type=vhost-user-blk,id=export,node-name=disk,writable=on'
    return ['qemu-storage-daemon', ...nodes, '--export', `${served},${place},num-queues=${queues}`]
  },
})

/** Two modes of the same program. */
export const peers: readonly Side[] = [
  daemon('qsd-threads', 'threads'),
  daemon('qsd-io_uring', 'io_uring'),
]

export const sides: readonly Side[] = [ours, ...peers]

const startMs = 20_000

/** Starts a backend. @throws Error: it does not listen */
export async function serve(side: Side, wish: Wish): Promise<Served> {
  rmSync(wish.socket, { force: true })
  const [program = '', ...args] = side.call(wish)
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const deadline = performance.now() + startMs
  while (!existsSync(wish.socket)) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    if (isRunning(child) && performance.now() < deadline) continue
    await end(child)
    throw new Error(`${side.name} does not serve: ${said.trim()}`)
  }
  return { pid: child.pid ?? 0, end: () => end(child) }
}

const isRunning = (child: ChildProcess): boolean =>
  child.exitCode === null && child.signalCode === null

async function end(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
