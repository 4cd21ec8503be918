/**
 * How the frontend sets the device up.
 *
 * @module
 */
import type { GuestQueue, GuestRegion } from './guest.js'
import type { Saying } from './frontend.js'
import type { Simulation } from './simulation.js'
import { SocketThing } from './system.js'
import { bits, type Verdict } from './table.js'

const flushBits = (1n << 9n) | (1n << 11n)

export class SettingUp {
  protected readonly at: Simulation
  /** Whether the second region is known to the backend, and may be used. */
  hasSecond = false
  /** Moves with each change of that. */
  #memories = 0
  /** Those that were asked for their threads: an earlier session may still be at it. */
  readonly #owned = new WeakSet<object>()
  readonly #protocolBit: bigint
  readonly #withoutFlush: boolean

  constructor(at: Simulation) {
    this.at = at
    this.#protocolBit = at.system.chance(90) ? bits.protocol : 0n
    this.#withoutFlush = at.system.chance(10)
    at.nature.canFlush = !this.#withoutFlush
  }

  say(name: string, payload: unknown, saying: Saying = {}): Verdict {
    return this.at.end.say({ name, payload }, saying)
  }

  /** Calls when all that was said before this is done. */
  protected afterwards(run: () => void): void {
    const { end } = this.at
    this.say('GET_FEATURES', null, {
      check: () => {
        if (this.at.end === end) run()
        return null
      },
    })
  }

  protected get features(): bigint {
    const { deviceFeatures, ringFeatures } = this.at
    const own = this.#withoutFlush ? deviceFeatures & ~flushBits : deviceFeatures
    return own | ringFeatures | this.#protocolBit
  }

  /** Regions that buffers may lie in. */
  sharedRegions(): readonly GuestRegion[] {
    return this.hasSecond ? this.at.memory.regions : this.at.memory.regions.slice(0, 1)
  }

  handshake(): void {
    const at = this.at
    const { serving } = at
    this.hasSecond = false
    at.nature.isThrough = null
    const offered = serving.device.features | bits.log | bits.protocol
    const is =
      (due: bigint) =>
      (found: unknown): string | null =>
        found === due ? null : `it is ${String(found)}`
    this.say('GET_FEATURES', null, { check: is(offered) })
    if (at.system.chance(50)) this.say('GET_PROTOCOL_FEATURES', null, { check: is(0x1_b22bn) })
    this.say('SET_PROTOCOL_FEATURES', at.protocol)
    this.say('GET_QUEUE_NUM', null, { check: is(BigInt(at.queues.length)) })
    if (at.end.table.speaks('BACKEND_REQ')) this.openChannel()
    if (!this.#owned.has(serving) && at.system.chance(15)) {
      this.#owned.add(serving)
      at.fault('thread not made')
      serving.process.refusedThreads = 1
      this.own(true)
      if (at.end.isToEnd) return
    }
    this.#owned.add(serving)
    this.own(false)
    this.say('GET_FEATURES', null, { check: is(offered) })
    if (at.end.table.speaks('CONFIG')) this.setWriteback()
  }

  own(fails: boolean): void {
    this.say('SET_OWNER', null, { fails })
  }

  protected openChannel(): void {
    const [, its] = SocketThing.pair()
    this.say('SET_BACKEND_REQ_FD', null, { things: [its] })
  }

  setWriteback(): void {
    const { nature, system } = this.at
    const writeback = system.chance(60) ? 1 : 0
    nature.isThrough = null
    this.say('SET_CONFIG', { offset: 32, flags: 0, bytes: new Uint8Array([writeback]) })
    this.afterwards(() => {
      nature.isThrough = writeback === 0
    })
  }

  /** All that the vrings need, in some order. */
  setUpAll(): void {
    const at = this.at
    at.forgetLog()
    if (at.hasInflight) this.setInflight()
    const steps = [() => this.say('SET_FEATURES', this.features), () => this.setMemory()]
    if (at.system.chance(30)) steps.reverse()
    for (const step of steps) step()
    const pieces = at.queues.flatMap((queue) => this.pieces(queue, queue.usedIndex))
    if (at.system.chance(50)) shuffle(pieces, at.system.below)
    for (const piece of pieces) piece()
  }

  protected pieces(queue: GuestQueue, base: number): (() => void)[] {
    const { index, size } = queue
    const pieces = [
      () => this.say('SET_VRING_NUM', { index, num: size }),
      () => this.say('SET_VRING_BASE', { index, num: base }),
      () => this.say('SET_VRING_ADDR', queue.addresses(this.at.system.below(2))),
      () => this.setEvent('SET_VRING_KICK', queue),
      () => this.setEvent('SET_VRING_CALL', queue),
    ]
    if (this.at.system.chance(50)) pieces.push(() => this.setEvent('SET_VRING_ERR', queue))
    pieces.push(() => this.say('SET_VRING_ENABLE', { index, num: 1 }))
    return pieces
  }

  setEvent(name: 'SET_VRING_KICK' | 'SET_VRING_CALL' | 'SET_VRING_ERR', queue: GuestQueue): void {
    const { index } = queue
    const isPolled = name === 'SET_VRING_KICK' && this.at.system.chance(5)
    const event = {
      SET_VRING_KICK: queue.kick,
      SET_VRING_CALL: queue.call,
      SET_VRING_ERR: queue.error,
    }
    const things = isPolled ? [] : [event[name]]
    this.say(name, { index, hasDescriptor: !isPolled }, { things })
    // What was done before was told to nobody.
    if (name === 'SET_VRING_CALL') this.afterwards(() => this.at.interrupt(queue))
  }

  setInflight(): void {
    const { inflight, queues, queueSize, inflightBytes } = this.at
    const area = {
      size: queues.length * inflightBytes,
      offset: 0,
      queues: queues.length,
      queueSize,
    }
    this.say('SET_INFLIGHT_FD', area, { things: [this.at.copyOf(inflight)] })
  }

  setMemory(): void {
    const { memory, end, system } = this.at
    const isInUse = this.isSecondInUse()
    const regions = isInUse || system.chance(80) ? [...memory.regions] : memory.regions.slice(0, 1)
    if (system.chance(50)) regions.reverse()
    const descriptions = regions.map(({ description }) => description)
    this.forgetSecond()
    if (end.table.regions.length === 0 && end.table.speaks('CONFIGURE_MEM_SLOTS'))
      for (const each of descriptions) this.addRegion(each)
    else
      this.say('SET_MEM_TABLE', descriptions, {
        things: descriptions.map(() => this.at.copyOf(memory.file)),
      })
    if (regions.length > 1) this.expectSecond()
  }

  protected forgetSecond(): void {
    this.hasSecond = false
    this.#memories++
  }

  protected expectSecond(): void {
    const memories = ++this.#memories
    this.afterwards(() => {
      if (this.#memories === memories) this.hasSecond = true
    })
  }

  protected addRegion(description: GuestRegion['description']): void {
    this.say('ADD_MEM_REG', description, { things: [this.at.copyOf(this.at.memory.file)] })
  }

  protected isSecondInUse(): boolean {
    const [, second] = this.at.memory.regions
    return this.at.asked.some((asked) =>
      [...asked.values()].some(({ buffers }) => buffers.some(({ region }) => region === second)),
    )
  }
}

export function shuffle(list: unknown[], below: (limit: number) => number): void {
  for (let index = list.length - 1; index > 0; index--) {
    const other = below(index + 1)
    const one = list[index]
    list[index] = list[other]
    list[other] = one
  }
}
