/**
 * The two ends of a queue in the model: the owner's, and a worker's. The real `Lane`, `KeyLines`, `Ends` and `Reaper`
 * are on the one, the real `Serving` on the other; what lies between them and Node's threads is told here.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Model, Value } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { callsOf, type RingCode, type Rings } from './ring-code.js'

type Lane = import('../../../src/wq/lane.js').Lane
type Reaper = import('../../../src/ring/index.js').Reaper
type Server = import('../../../src/wq/server.js').Server
type Serving = import('../../../src/wq/serving.js').Serving
type OwnSelf = import('../../../src/worker/index.js').OwnSelf
type QueuedWork = import('../../../src/wq/work.js').QueuedWork

/** The levels of works here. */
export const high = 0
const normal = 1
/** A key that is not sent along. */
const key = Symbol('key')

/** The channel of a worker's messages. */
export const portOf = (seat: number): string => `from seat ${seat}`

/** What became of works, by their numbers. */
export type Outcomes = Record<number, string[]>

/** What the owner knows of a worker's thread. */
interface Seat {
  readonly reaper: Reaper
  /** Results by message, in their order. */
  readonly results: Value[]
  readonly server: Server
}

/** The owner's end: what `Account`, `Server` and `Dispatch` do, in their order. */
export class Queue {
  readonly lane: Lane
  readonly outcomes: Outcomes = {}
  readonly works: QueuedWork[] = []
  /** As `Dispatch` does when a worker says 'look'. */
  look: () => void = () => this.wakeForReady()
  /** Called for each work that a thread had begun and not ended when it was terminated. */
  buried: (id: number) => void = () => {}
  /** Called for each message that is no result. */
  onMessage: (message: Value) => void = () => {}
  readonly #real: RingCode
  readonly #rings: Rings
  readonly #model: Model
  readonly #keys
  readonly #ends
  readonly #seats: (Seat | null)[]
  readonly #wake: (seat: number) => void

  /** `wake` wakes the thread of a seat. */
  constructor(real: RingCode, rings: Rings, model: Model, wake: (seat: number) => void = () => {}) {
    this.#wake = wake
    this.#real = real
    this.#rings = rings
    this.#model = model
    const events = {
      unbounded: false,
      nameOf: () => 'work',
      cancel: () => 'not-found' as const,
      published: () => this.#wakeOne(),
      entered: () => assert.fail('it waited'),
    }
    const announce = () => assert.fail('it took a block')
    this.lane = new real.Lane(announce, {} as never, events, real.viewsOf(rings.words))
    this.#keys = new real.KeyLines()
    const left = (work: QueuedWork): void => this.#keys.leave(work)
    this.#ends = new real.Ends({} as never, { settled() {}, left })
    this.#seats = rings.completions.map((_, seat) => this.#seat(seat))
  }

  /** As `Dispatch` submits a work whose arguments are small. All keyed works have one key. */
  submit(id: number, isKeyed = false, level = normal): QueuedWork {
    const { QueuedWork } = this.#real
    const work = new QueuedWork(this.lane, id, isKeyed ? key : undefined, level, 1, null, 0)
    work.values = []
    // Outcomes, where the real ones settle a promise: that would make no difference to the rings.
    work.resolve = (value) => this.#settle(work, `returned ${JSON.stringify(value)}`)
    work.reject = (error) => this.#settle(work, (error as Error).message)
    this.works.push(work)
    if (isKeyed) this.#keys.enter(work)
    else this.lane.admit(work)
    return work
  }

  /** As `Cancellation.dropAll`. */
  cancel(work: QueuedWork): boolean {
    if (this.#keys.withdraw(work)) {
      this.#settle(work, 'canceled')
      return true
    }
    if (!this.lane.withdraw(work)) return false
    this.#settle(work, 'canceled')
    this.#keys.leave(work)
    this.lane.refill()
    return true
  }

  /** As `Account.reap`. */
  reap(): boolean {
    let found = false
    for (const seat of this.#seats) if (seat?.reaper.reap() === true) found = true
    if (found) this.lane.refill()
    return found
  }

  /** As `Server.#exited` and `Account.#gone`, when a seat's thread is gone. */
  gone(seat: number): void {
    const { getUp, Kind, kindOf, seatOf, stateOf } = this.#real
    const { words } = this.#rings
    const { server, reaper, results } = this.#seats[seat] as Seat
    for (;;) {
      const message = this.#model.tryReceive(portOf(seat))
      if (message === undefined) break
      this.#hear(results, message)
    }
    reaper.reap()
    for (const work of this.lane.inSlots()) {
      const state = stateOf(words, work.slot)
      if (seatOf(state) !== seat) continue
      if (kindOf(state) === Kind.DONE) this.#ends.done(server, work)
      else if (kindOf(state) === Kind.CLAIMED && this.#ends.died(server, work, null))
        this.buried(work.id)
    }
    for (const work of this.lane.inSlots()) if (work.link?.turnFrom === seat) this.lane.turn(work)
    this.#seats[seat] = null
    getUp(words, seat)
    this.lane.refill()
    this.look()
  }

  /** As `Account.wakeForReady`. */
  wakeForReady(): void {
    const { levels, mayHave } = this.#real
    if (levels.some((_, one) => mayHave(this.#rings.words, one))) this.#wakeOne()
  }

  /** Runs the works that are left in a worker with a seat of its own, here. All threads are gone. */
  runRest(seat: number, around: Around = {}): void {
    servingOf(this.#real, this.#rings, this.#model, seat, around).pump()
    this.gone(seat)
  }

  /** What is wrong with the slots when no work is left, if anything. */
  leak(): string | null {
    const left = [...this.lane.inSlots()].length
    if (left > 0) return `${left} slots still have works`
    if (this.lane.runnable !== 0) return `${this.lane.runnable} works are counted`
    const slots = this.#real.slotsIn(this.#rings.words)
    const free = new Set<number>()
    let count = 0
    const { submission } = this.lane
    for (let slot = submission.acquire(); slot >= 0; slot = submission.acquire()) {
      free.add(slot)
      if (++count > slots) break
    }
    if (count === slots && free.size === count) return null
    return `${count} slots are free, ${free.size} different ones, of ${slots}`
  }

  #seat(seat: number): Seat {
    const { Reaper } = this.#real
    const results: Value[] = []
    const server = {
      lane: this.lane,
      seat,
      killed: null,
      culprit: null,
      ended: () => new Error('died'),
      // As `Server.takeResult`.
      takeResult: () => {
        while (results.length === 0) {
          const message = this.#model.tryReceive(portOf(seat))
          if (message === undefined) return { error: new Error('the result is not there') }
          this.#hear(results, message)
        }
        return { value: results.shift() }
      },
    } as unknown as Server
    const generation = (slot: number): number => this.lane.submission.generation(slot)
    const words = this.#rings.completions[seat] as memory.Words
    const reaper = new Reaper(words, generation, (what, slot) => this.#heard(server, what, slot))
    return { reaper, results, server }
  }

  /** As `Account.#heard`. */
  #heard(server: Server, what: number, slot: number): void {
    const { Entry } = this.#real
    const work = this.lane.works[slot] ?? null
    if (work === null) return
    if (what === Entry.DONE) this.#ends.done(server, work)
    else if (what === Entry.TURN) this.lane.turn(work)
    else this.#ends.sendArguments(server, work)
  }

  #hear(results: Value[], message: Value): void {
    if (typeof message === 'object' && message !== null && 'value' in message)
      results.push((message as { readonly value: Value }).value)
    else this.onMessage(message)
  }

  /** As `Account.#wakeOne`. */
  #wakeOne(): void {
    const seat = this.#real.takeSleeper(this.#rings.words, this.#seats.length)
    if (seat >= 0) this.#wake(seat)
  }

  #settle(work: QueuedWork, outcome: string): boolean {
    work.outcome ??= 'done'
    ;(this.outcomes[work.id] ??= []).push(outcome)
    return true
  }
}

/**
 * A thread that ends `doomed`, unless it was spared before that, and says in `events` what it did: an end that always
 * comes would wake whoever sleeps for ever.
 */
export function death(_: Rings, model: Model): void {
  if (model.tryReceive('mercy') !== undefined) return model.post('events', 'spared')
  model.kill('doomed')
  model.ended('doomed')
  model.post('events', 'exit')
}

/** What a worker's thread has around its `Serving`. */
export interface Around {
  /** Takes the steps of a handler, which belongs to the work with that number. */
  readonly call?: (id: number) => void
  /** Sends a message that is no result. */
  readonly tell?: (type: string) => void
  /** After so many works it takes no more; default: never. */
  readonly most?: number
  /** Whether a work's result goes by message. */
  readonly byMessage?: (id: number) => boolean
  /** As `Post.receive`, at a checkpoint. */
  readonly receive?: (isThere: () => boolean) => void
  /** What its owner may ask of the thread; default: nothing. */
  readonly self?: Partial<Pick<OwnSelf, 'shouldStop' | 'listen' | 'mustStand'>>
}

/** A worker's end. Its handlers count their calls, and return their work's number, or null in shared memory. */
export function servingOf(
  real: RingCode,
  rings: Rings,
  model: Model,
  seat: number,
  around: Around = {},
): Serving {
  const { call = () => {}, most = Infinity, byMessage = () => false } = around
  const tell = around.tell ?? ((type) => model.post(portOf(seat), type))
  const { Completions, Form, readSmall, running, Serving, writeSmallOne } = real
  let taken: { readonly error: unknown } | null = null
  let called = 0
  const handler = (): number => {
    called++
    const id = running.getStore()?.id ?? 0
    // `Serving` catches what a handler throws. What takes a thread out of a step goes on from `sendError`.
    try {
      memory.add(rings.calls, callsOf(seat, id), 1)
      call(id)
    } catch (error) {
      taken = { error }
      throw error
    }
    return id
  }
  const post = {
    completions: new Completions(rings.completions[seat] as memory.Words),
    tell: ({ type }: { type: string }) => tell(type),
    readArguments: readSmall,
    receive: around.receive ?? (() => {}),
    writeResult(to: Parameters<typeof writeSmallOne>[0], slot: number, value: number) {
      if (!byMessage(value)) return writeSmallOne(to, slot, null)
      model.post(portOf(seat), { value })
      return Form.MESSAGE
    },
    sendError() {
      // What ends the thread is thrown on as it is.
      // oxlint-disable-next-line typescript/only-throw-error
      throw taken?.error ?? new Error('a handler threw')
    },
  }
  const data = {
    words: rings.words,
    completions: rings.completions[seat],
    owner: rings.owner,
    seat,
    concurrency: 1,
    recycle: { works: null, heapMb: null },
  }
  const self = {
    shouldStop: () => called >= most,
    ring() {},
    stand: () => false,
    listen: () => 0,
    mustStand: () => false,
    ...around.self,
  }
  const handlers = { get: () => ({ name: 'work', call: handler }) }
  return new Serving(data as never, self as never, handlers as never, post as never)
}
