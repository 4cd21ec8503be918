/**
 * What simulated processes have in common: a clock that stands still until nothing can run, chance, and
 * the things that descriptors name.
 *
 * @module
 */
import { built } from '../built.js'

const { seeded } = await built<typeof import('../../../src/os/random.js')>('os/random.js')

/** Is thrown by a door when the thread that called it is no more. */
export class Gone extends Error {
  override readonly name = 'Gone'
}

/** Is thrown where a thread would block: it calls again when there is something. */
export const wouldBlock = new Error('It would block')

/** An error as the system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`simulated: ${code}`), { code })
}

/** A process, or a thread of one, that may end at any step. */
export class Life {
  isOver = false
  /** So many steps are left; none ends by itself at infinity. */
  left = Infinity
  /** Who ends with the last step: this one, or all of its process. */
  victim: Life = this
  readonly #ends: (() => void)[] = []

  /** One that ends when `above` does. */
  constructor(above: Life | null = null) {
    above?.onEnd(() => this.end())
  }

  onEnd(run: () => void): void {
    this.#ends.push(run)
  }

  end(): void {
    if (this.isOver) return
    this.isOver = true
    for (const run of this.#ends) run()
  }
}

export interface SimulatedTimer {
  readonly at: number
  readonly run: () => void
  readonly life: Life
  isOff: boolean
}

/** What may be done next. */
export type Action = () => void

export class System {
  /** Milliseconds. */
  nowMs = 1e6
  /** Moves with each step that may have changed something. */
  changes = 0
  /** Whether the step only looked whether there was something. */
  hasLooked = false
  /** The thread whose own code is on the stack: it can be gone at any step. */
  running: Life | null = null
  /** Is told right before a thread or process ends in the middle of its code. */
  onDeath: (victim: Life) => void = () => {}
  readonly below: (limit: number) => number
  readonly timers: SimulatedTimer[] = []
  /** What everything that happened comes to. */
  digest = 0x811c9dc5
  readonly tell: ((line: string) => void) | null

  constructor(seed: number, tell: ((line: string) => void) | null) {
    this.below = seeded(seed)
    this.tell = tell
  }

  /** A door is called: what is not there any more calls none. @throws Gone */
  step(cost: number): void {
    const life = this.running
    if (life === null) return
    life.left -= cost
    if (!life.isOver && life.left <= 0) {
      this.onDeath(life.victim)
      life.victim.end()
    }
    if (life.isOver) throw new Gone()
  }

  /** Whether something of so many chances in a hundred happens. */
  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  pick<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T
  }

  note(line: string): void {
    for (let at = 0; at < line.length; at++)
      this.digest = Math.imul(this.digest ^ line.charCodeAt(at), 0x01000193) >>> 0
    this.tell?.(`${this.nowMs.toFixed(3)} ${line}`)
  }

  after(ms: number, run: () => void, life: Life): SimulatedTimer {
    const timer = { at: this.nowMs + Math.max(0, ms), run, life, isOff: false }
    this.timers.push(timer)
    return timer
  }

  /** Timers whose time has come. */
  due(): Action[] {
    this.#sweep()
    return this.timers
      .filter(({ at }) => at <= this.nowMs)
      .map((timer) => () => {
        timer.isOff = true
        timer.run()
      })
  }

  /** Time passes. */
  pass(ms: number): void {
    this.nowMs += ms
    this.changes++
  }

  /** Moves the clock on to the next timer. @returns whether there is one */
  advance(): boolean {
    this.#sweep()
    const next = Math.min(...this.timers.map(({ at }) => at))
    if (next === Infinity) return false
    this.nowMs = Math.max(this.nowMs, next)
    this.changes++
    return true
  }

  #sweep(): void {
    for (let index = this.timers.length - 1; index >= 0; index--) {
      const timer = this.timers[index]
      if (timer?.isOff === true || timer?.life.isOver === true) this.timers.splice(index, 1)
    }
  }
}

/** What a descriptor names. */
export abstract class Thing {
  /** Those that want to know of each signal. */
  readonly edges = new Set<Registration>()
  references = 0
  abstract get isReadable(): boolean

  /** Nobody has a descriptor of it any more. */
  released(): void {}

  protected signalled(): void {
    for (const registration of this.edges) registration.hasEdge = true
  }
}

/** A thing in a set of events. */
export interface Registration {
  readonly thing: Thing
  readonly how: 'level' | 'edge'
  hasEdge: boolean
}

/** An eventfd, and a timerfd. */
export class EventThing extends Thing {
  count = 0

  get isReadable(): boolean {
    return this.count > 0
  }

  signal(): void {
    this.count++
    this.signalled()
  }
}

/** An epoll set. */
export class SetThing extends Thing {
  readonly entries = new Map<number, Registration>()

  get isReadable(): boolean {
    for (const each of this.entries.values()) if (isReady(each)) return true
    return false
  }

  override released(): void {
    for (const each of this.entries.values()) each.thing.edges.delete(each)
  }

  take(): number[] {
    const ready: number[] = []
    for (const [fd, each] of this.entries) {
      if (!isReady(each)) continue
      each.hasEdge = false
      ready.push(fd)
    }
    return ready
  }
}

function isReady({ thing, how, hasEdge }: Registration): boolean {
  return how === 'edge' ? hasEdge : thing.isReadable
}

/** A part of what was sent, with the things that go along. */
interface Parcel {
  bytes: Uint8Array
  things: (Thing | number)[]
}

/** One end of a connection. */
export class SocketThing extends Thing {
  peer: SocketThing | null = null
  readonly inbox: Parcel[] = []
  isClosed = false

  static pair(): [SocketThing, SocketThing] {
    const [one, other] = [new SocketThing(), new SocketThing()]
    one.peer = other
    other.peer = one
    return [one, other]
  }

  get isReadable(): boolean {
    return this.inbox.length > 0 || this.isHungUp
  }

  get isHungUp(): boolean {
    return this.peer?.isClosed ?? true
  }

  /** @param things - things, or descriptors of real files of the sender's to give away */
  send(bytes: Uint8Array, things: (Thing | number)[] = []): void {
    for (const thing of things) if (thing instanceof Thing) thing.references++
    this.peer?.inbox.push({ bytes: bytes.slice(), things })
    this.peer?.signalled()
  }

  /** Up to so many bytes; null: none are there, and more may come. */
  receive(most: number): Parcel | null {
    const first = this.inbox[0]
    if (first === undefined) return this.isHungUp ? { bytes: new Uint8Array(), things: [] } : null
    const bytes = first.bytes.subarray(0, most)
    const { things } = first
    first.bytes = first.bytes.subarray(bytes.length)
    first.things = []
    if (first.bytes.length === 0) this.inbox.shift()
    return { bytes, things }
  }

  override released(): void {
    this.isClosed = true
  }
}

/** A socket that listens. */
export class ListenerThing extends Thing {
  readonly waiting: SocketThing[] = []

  get isReadable(): boolean {
    return this.waiting.length > 0
  }
}
