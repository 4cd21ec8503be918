/**
 * The stage of one seed: a disk, the process that serves it, a guest with its frontend; and the steps of
 * all of them, one at a time.
 *
 * @module
 */
import { setImmediate } from 'node:timers'
import { again } from './doors.js'
import { FrontendEnd } from './frontend.js'
import { GuestMemory, GuestQueue, SharedFile } from './guest.js'
import type { Instantiate } from './library.js'
import { DiskNature } from './nature.js'
import { SimulatedProcess } from './process.js'
import { Requests, type Asked } from './requests.js'
import { EventThing, SocketThing, System, type Action, type Life } from './system.js'
import { bits, protocolBits, Table } from './table.js'

type Server = InstanceType<SimulatedProcess['library']['Server']>
type Device = Awaited<ReturnType<SimulatedProcess['library']['VhostDevice']['create']>>

/** What a process serves with. */
interface Serving {
  readonly process: SimulatedProcess
  readonly server: Server
  readonly device: Device
  readonly data: Awaited<ReturnType<DiskNature['dataFor']>>
  readonly resized: number
}

/**
 * More steps than this without an end are a hang. Where a polled vring keeps its thread busy, time passes by
 * steps alone: these are 8 s, in which the slowest disk has done all that it was asked.
 */
const mostSteps = 16_000

const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve)
  })

export class Simulation {
  readonly system: System
  readonly faults = new Map<string, number>()
  readonly edges = new Set<string>()
  readonly divergences: string[] = []
  readonly memory = new GuestMemory()
  readonly nature: DiskNature
  readonly requests: Requests
  readonly queues: GuestQueue[]
  readonly asked: Map<number, Asked>[] = []
  readonly inflight: SharedFile
  readonly log: SharedFile
  readonly queueSize: number
  /** What the driver takes of the features of queues. */
  readonly ringFeatures: bigint
  readonly protocol: bigint
  /** Of the device's own. */
  deviceFeatures = 0n
  serving!: Serving
  end!: FrontendEnd
  /** Whether what was under way is lost with the thread or the process. */
  isBereft = false
  /** Whether it was no thread that had a vring: the backend may go on without it. */
  mayGoOn = false
  /** Whether the backend marks what it writes. */
  logs = false
  readonly #instantiate: Instantiate
  readonly #processes: SimulatedProcess[] = []
  #restore: (() => void) | null = null

  constructor(seed: number, instantiate: Instantiate, tell: ((line: string) => void) | null) {
    this.#instantiate = instantiate
    const system = new System(seed, tell)
    this.system = system
    const count = 1 + system.below(3)
    this.queueSize = system.pick([4, 8, 16, 64])
    this.ringFeatures =
      bits.version1 |
      (system.chance(60) ? bits.eventIndex : 0n) |
      (system.chance(60) ? bits.indirect : 0n)
    this.protocol = this.#chosenProtocol()
    this.nature = new DiskNature(system, count)
    this.requests = new Requests(system, this.nature, (kind) => this.fault(kind))
    this.queues = Array.from(
      { length: count },
      (_, index) => new GuestQueue(index, this.queueSize, this.ringFeatures, this.memory),
    )
    system.note(`faults: ${JSON.stringify(this.nature.rules)}, ${this.nature.hasOverlay}`)
    for (const _ of this.queues) this.asked.push(new Map())
    this.inflight = new SharedFile(count * this.inflightBytes)
    this.log = new SharedFile(this.memory.logBytes)
    system.onDeath = (victim) => {
      this.freeze()
      this.bereave(victim)
    }
  }

  get inflightBytes(): number {
    return Math.ceil((16 + 16 * this.queueSize) / 64) * 64
  }

  get hasInflight(): boolean {
    return (this.protocol & protocolBits.INFLIGHT_SHMFD) !== 0n
  }

  #chosenProtocol(): bigint {
    const { system } = this
    const chances = {
      REPLY_ACK: 85,
      LOG_SHMFD: 70,
      BACKEND_REQ: 50,
      CONFIG: 85,
      INFLIGHT_SHMFD: 65,
      CONFIGURE_MEM_SLOTS: 60,
      STATUS: 60,
    } as const
    return Object.entries(chances).reduce(
      (all, [name, percent]) =>
        system.chance(percent) ? all | protocolBits[name as keyof typeof chances] : all,
      1n,
    )
  }

  fault(kind: string): void {
    this.system.note(`fault: ${kind}`)
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1)
  }

  diverge(what: string): void {
    this.system.note(`DIVERGENCE: ${what}`)
    this.divergences.push(what)
  }

  /** Keeps what outlives a thread: its frames still run, and what they write is undone. */
  freeze(): void {
    if (this.#restore !== null) return
    const { file } = this.memory
    const puts = [file, this.inflight, this.log].map((each) => each.frozen())
    const disk = new Uint8Array(this.nature.bytes)
    const copy = disk.slice()
    this.#restore = () => {
      for (const put of puts) put()
      disk.set(copy)
    }
  }

  /** A thread is about to go, or the process. */
  bereave(victim: Life): void {
    const { process, device } = this.serving
    const hasVring = this.queues.some(({ index }) => {
      const thread = device.workerOf(index)?.thread as { life: Life } | undefined
      return thread?.life === victim
    })
    this.mayGoOn = victim !== process.life && !hasVring
    this.system.note(this.mayGoOn ? 'one without vrings is gone' : 'somebody is gone')
    this.isBereft = true
    process.hasLostThread = true
    this.end.isLost = true
    this.end.isToEnd = true
  }

  /** A process that serves the disk. */
  async begin(workers: number, reconnectMs: number): Promise<void> {
    // A mapping holds the locks of its file.
    for (const each of this.#processes) if (each.life.isOver) each.unmapAll()
    const process = new SimulatedProcess(this.system, this.#instantiate)
    this.#processes.push(process)
    const { library } = process
    const resized = process.give(new EventThing())
    const data = this.nature.dataFor(process, resized)
    const plan = { module: 'disk', data, name: 'disk', workers, workerOptions: {} }
    const device = await library.VhostDevice.create(plan)
    const server = new library.Server(device, {
      socket: '/simulated',
      reconnectMs,
      onEvent: (event) => {
        this.system.note(`server: ${JSON.stringify(event)}`)
        if (event.kind === 'error' && !process.hasLostThread)
          this.diverge(`the server tells: ${event.error.message}`)
      },
    })
    device.onBroken = (vring, error) => this.#broken(process, vring, error)
    device.onProblem = (error) => {
      if (!process.life.isOver) this.diverge(`the device tells: ${error.message}`)
    }
    library.setCapacity(data.words, this.nature.capacity * 512)
    this.nature.isThrough = false
    this.serving = { process, server, device, data, resized }
    this.deviceFeatures = device.features & ~(bits.eventIndex | bits.indirect)
  }

  #broken(process: SimulatedProcess, vring: number, error: Error): void {
    this.system.note(`vring ${vring} is broken: ${error.message}`)
    if (process !== this.serving.process) return
    if (this.queues[vring]?.isPoisoned === true) this.end.table.broken.add(vring)
    else this.diverge(`vring ${vring} was broken: ${error.message}`)
  }

  /** A new connection. @returns what the server got of it */
  connect(): void {
    const [mine, its] = SocketThing.pair()
    this.serving.process.listener?.waiting.push(its)
    const offered = this.serving.device.features | bits.log | bits.protocol
    const table = new Table(this.queues.length, offered, this.edges)
    this.end = new FrontendEnd(this.system, mine, table, (what) => this.diverge(what))
    this.forgetLog()
    this.system.note('connect')
  }

  /** A descriptor of a file of memory, to be given away. */
  copyOf(file: SharedFile): number {
    return again(file.fd)
  }

  #actions(): Action[] {
    const actions = [...this.serving.process.actions(), ...this.system.due()]
    if (this.end.isReadable) actions.push(() => this.end.hear())
    for (const queue of this.queues) {
      if (queue.call.count > 0)
        actions.push(() => {
          queue.call.count = 0
          this.interrupt(queue)
        })
    }
    return actions
  }

  /** One step of somebody. @returns whether there was any */
  async step(): Promise<boolean> {
    let actions = this.#actions()
    if (actions.length === 0) {
      // Promises may go on by themselves.
      await nextTurn()
      actions = this.#actions()
    }
    if (actions.length === 0) return false
    const { system } = this
    const action = system.pick(actions)
    system.hasLooked = false
    action()
    await nextTurn()
    if (!system.hasLooked) system.changes++
    if (this.#restore !== null) {
      this.#restore()
      this.#restore = null
    }
    return true
  }

  /** Some steps. */
  async steps(most: number): Promise<void> {
    for (let count = 0; count < most; count++) {
      if (this.system.chance(3)) this.system.pass(this.system.below(3))
      if (!(await this.step())) return
    }
  }

  /** Steps until it holds; the clock goes on when nothing else does. @returns whether it came to that */
  async until(holds: () => boolean): Promise<boolean> {
    for (let count = 0; count < mostSteps; count++) {
      if (holds()) return true
      if (count % 40 === 39) this.system.pass(0.25 + count / 400)
      if (!(await this.step()) && !this.system.advance()) return holds()
    }
    return holds()
  }

  get underWay(): number {
    return this.asked.reduce((sum, { size }) => sum + size, 0)
  }

  /** The driver's own: it takes all that is used. */
  interrupt(queue: GuestQueue): void {
    do this.take(queue)
    while (queue.driver.enableCalls() && this.divergences.length === 0)
  }

  take(queue: GuestQueue): void {
    try {
      for (let used = queue.driver.takeUsed(); used !== null; used = queue.driver.takeUsed()) {
        const asked = this.asked[queue.index]?.get(used.head)
        if (asked === undefined) {
          this.diverge(`queue ${queue.index}: ${used.head} is used, and was not asked`)
          continue
        }
        this.asked[queue.index]?.delete(used.head)
        this.system.note(`queue ${queue.index}: ${asked.kind} ${used.head} is done`)
        this.#checkLog(asked)
        for (const wrong of this.requests.answered(asked, used.written)) this.diverge(wrong)
      }
    } catch (error) {
      this.diverge(`queue ${queue.index}: ${(error as Error).message}`)
    }
  }

  /** What was asked while writes are logged, and is done, is in the log. */
  #checkLog({ buffers, isLogged }: Asked): void {
    if (!isLogged || !this.logs) return
    for (const { buffer } of buffers) {
      if (!buffer.isWritable) continue
      const last = Math.floor((buffer.address + buffer.length - 1) / 4096)
      for (let page = Math.floor(buffer.address / 4096); page <= last; page++) {
        const isMarked = (((this.log.bytes[page >> 3] ?? 0) >> (page & 7)) & 1) === 1
        if (!isMarked) this.diverge(`page ${page} was written and not logged`)
      }
    }
  }

  /** The disk has another size; only while nothing is asked. */
  resize(): void {
    if (this.underWay > 0 || this.nature.hasOverlay) return
    this.fault('resize')
    const { process, data, resized } = this.serving
    this.nature.capacity = 100 + this.system.below(60)
    process.library.setCapacity(data.words, this.nature.capacity * 512)
    const thing = process.thing(resized)
    if ('signal' in thing) (thing as { signal(): void }).signal()
  }

  /** From now on nothing is logged, or not all that is under way. */
  forgetLog(): void {
    this.logs = false
    for (const asked of this.asked) for (const each of asked.values()) each.isLogged = false
  }

  /** Nothing of what was asked will be answered. */
  abandonAll(): void {
    for (const asked of this.asked) {
      for (const each of asked.values()) this.requests.abandoned(each)
      asked.clear()
    }
  }

  close(): void {
    for (const process of this.#processes) {
      process.life.end()
      process.unmapAll()
    }
    this.nature.close()
    for (const file of [this.memory.file, this.inflight, this.log]) file.close()
  }
}
