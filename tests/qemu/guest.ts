/**
 * A guest: a process of QEMU, and a serial line over which commands go in.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { system } from './library.js'
import { end, start, until } from './processes.js'

/** A guest in software boots in three seconds; a machine that is busy with other things is slower. */
const bootMs = 90_000
const firmwareMs = 20_000
const commandMs = 90_000
const shownOfConsole = 3000

export interface Machine {
  /** For sockets. */
  readonly folder: string
  /** The file of the kernel, and that of its first file system; without, the firmware boots the disk. */
  readonly kernel: { readonly image: string; readonly initramfs: string } | null
  readonly cpus: number
  readonly mebibytes: number
  readonly disks: readonly { readonly socket: string; readonly queues: number }[]
}

/** What a command gave. */
export interface Ended {
  readonly status: number
  readonly output: string
}

let count = 0

export class Guest {
  readonly #child: ChildProcess
  readonly #server: Server
  readonly #path: string
  #line: Socket | null = null
  #console = ''
  /** Those who wait for lines, in order; and lines that nobody has waited for. */
  readonly #waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = []
  readonly #lines: string[] = []

  /** Starts one. It takes commands when it is {@link ready}. */
  constructor(machine: Machine) {
    this.#path = join(machine.folder, `serial-${++count}`)
    this.#server = createServer((socket) => {
      this.#line = socket
      socket.on('error', () => {})
      createInterface({ input: socket }).on('line', (line) => this.#take(line))
    })
    this.#server.listen(this.#path)
    this.#child = start('qemu-system-x86_64', optionsOf(machine, this.#path), [
      'ignore',
      'pipe',
      'pipe',
    ])
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#console += text
      })
    this.#child.once('exit', () => {
      this.#server.close()
      rmSync(this.#path, { force: true })
      const error = new Error(`the guest has ended:\n${this.console}`)
      for (const each of this.#waiting.splice(0)) each.reject(error)
    })
  }

  /** Starts one without a kernel. Resolves with what the disk's boot sector prints, up to its end. */
  static async bootFirmware(machine: Machine, last: string): Promise<string> {
    const guest = new Guest(machine)
    const isDone = (): boolean => guest.console.includes(last) || !guest.isAlive
    await until('the firmware boots the disk', isDone, firmwareMs).catch(() => null)
    await guest.kill()
    return guest.console
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The end of what kernel and QEMU have said. */
  get console(): string {
    return this.#console.slice(-shownOfConsole)
  }

  /** Waits until it takes commands: at its start, and again after a reboot. */
  async ready(): Promise<void> {
    const line = await this.#next(bootMs, 'the guest boots')
    if (line !== 'ready') throw new Error(`the guest says '${line}'`)
  }

  /** Runs a script of the shell. @throws Error: its exit status is not 0 */
  async run(script: string): Promise<string> {
    const { status, output } = await this.try(script)
    if (status !== 0) throw new Error(`${script}\nended with ${status}:\n${output}`)
    return output.trim()
  }

  /** Runs a script of the shell. */
  async try(script: string): Promise<Ended> {
    this.send(script)
    const answer = await this.#next(commandMs, script)
    const [status = '', text = ''] = answer.split(' ')
    return { status: Number(status), output: Buffer.from(text, 'base64').toString() }
  }

  /** Gives a script to it whose answer is not waited for: it ends the guest. */
  send(script: string): void {
    this.#line?.write(`${Buffer.from(script).toString('base64')}\n`)
  }

  /** Turns it off from within. */
  async powerOff(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.send('poweroff -f')
    await ended
  }

  /** Ends the process of QEMU at once. */
  async kill(): Promise<void> {
    await end(this.#child, 'SIGKILL')
  }

  #take(line: string): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#lines.push(line)
    else next.resolve(line)
  }

  #next(withinMs: number, what: string): Promise<string> {
    const line = this.#lines.shift()
    if (line !== undefined) return Promise.resolve(line)
    if (!this.isAlive) return Promise.reject(new Error('the guest has ended'))
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new Error(`not within ${withinMs / 1000} s: ${what}\n${this.console}`))
        // Its later answers would be taken for those to other commands.
        void this.kill()
      }, withinMs)
      const settled =
        <Value>(settle: (value: Value) => void) =>
        (value: Value) => {
          clearTimeout(late)
          settle(value)
        }
      this.#waiting.push({ resolve: settled(resolve), reject: settled(reject) })
    })
  }
}

function optionsOf({ kernel, cpus, mebibytes, disks }: Machine, serial: string): string[] {
  return [
    system.guestOptions(kernel, cpus, true),
    system.memoryOptions(mebibytes),
    ['-serial', 'stdio', '-serial', `unix:${serial}`],
    disks.flatMap((disk, index) => system.diskOptions(disk, index)),
  ].flat()
}
