/**
 * The backend that comes with QEMU: it tells whether a step that fails is the disk's fault.
 *
 * @module
 */
import { execFileSync, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { existsSync, rmSync } from 'node:fs'
import type { Backend, Served, Wish } from './backend.js'
import { Program, start, until } from './processes.js'
import { booting, growing } from './setting.js'

const sector = 512

export const storageDaemon: Backend = {
  name: 'qemu-storage-daemon',
  programs: ['qemu-storage-daemon', 'qemu-img'],
  // It takes the new size, and does not tell the guest.
  lacks: [growing, booting],
  async serve(wish) {
    const monitor = ['--chardev', 'stdio,id=monitor', '--monitor', 'chardev=monitor']
    rmSync(wish.socket, { force: true })
    const args = [...monitor, ...nodesOf(wish), ...exportOf(wish)]
    const child = start('qemu-storage-daemon', args, ['pipe', 'pipe', 'inherit'])
    const served = new Daemon(child)
    await until('the daemon listens', () => !served.isAlive || existsSync(wish.socket))
    if (!served.isAlive) throw new Error('the daemon does not start')
    return served
  },
}

function nodesOf({ file, overlay, failingReads }: Wish): string[] {
  const bottom = { driver: 'file', 'node-name': 'file', filename: file, discard: 'unmap' }
  const nodes: object[] = [{ ...bottom, 'read-only': overlay !== undefined }]
  let below = 'file'
  if (failingReads !== undefined) {
    const first = failingReads.offset / sector
    const rules = Array.from({ length: failingReads.length / sector }, (_, index) => ({
      event: 'none',
      iotype: 'read',
      sector: first + index,
      errno: 5,
      once: false,
    }))
    nodes.push({ driver: 'blkdebug', 'node-name': 'faults', image: below, 'inject-error': rules })
    below = 'faults'
  }
  if (overlay !== undefined) {
    if (!existsSync(overlay)) create(file, overlay)
    nodes.push({ driver: 'raw', 'node-name': 'base', file: below, 'read-only': true })
    nodes.push({ driver: 'file', 'node-name': 'over', filename: overlay })
    nodes.push({ driver: 'qcow2', 'node-name': 'disk', file: 'over', backing: 'base' })
  } else nodes.push({ driver: 'raw', 'node-name': 'disk', file: below, discard: 'unmap' })
  return nodes.flatMap((node) => ['--blockdev', JSON.stringify(node)])
}

function create(base: string, overlay: string): void {
  const backing = ['-b', base, '-F', 'raw']
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, overlay])
}

function exportOf({ socket, queues }: Wish): string[] {
  const node = 'id=export,node-name=disk,writable=on'
  const address = `addr.type=unix,addr.path=${socket}`
  return ['--export', `type=vhost-user-blk,${node},${address},num-queues=${queues}`]
}

class Daemon extends Program implements Served {
  readonly #lines: AsyncIterator<string>

  constructor(child: ChildProcess) {
    super(child)
    if (child.stdout === null) throw new Error('no output')
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  async resize(bytes: number): Promise<void> {
    await this.#ask({ execute: 'qmp_capabilities' })
    await this.#ask({ execute: 'block_resize', arguments: { 'node-name': 'disk', size: bytes } })
  }

  /** Asks over the monitor. Events that come between are passed over. */
  async #ask(command: object): Promise<void> {
    this.child.stdin?.write(`${JSON.stringify(command)}\n`)
    for (;;) {
      const { value, done } = await this.#lines.next()
      if (done === true) throw new Error('the daemon has ended')
      const answer = JSON.parse(value) as { return?: unknown; error?: { desc: string } }
      if (answer.error !== undefined) throw new Error(answer.error.desc)
      if ('return' in answer) return
    }
  }
}
