/**
 * The states of a model, and the moves that lead from one to the next.
 *
 * @module
 */
import { act, operations, plain, type MemoryOp, type PlainOp, type Words } from '../operations.js'
import { AllContents, type Contents } from './contents.js'
import type { Local, Locals, Operation } from './local.js'
import { Life, timeOutPlace, type Places } from './places.js'
import { Misuse, type Value } from './protocol.js'

/** All that can make a difference to what comes. */
export interface State {
  readonly locals: readonly Local[]
  /** A bit for each thread that is asleep in `wait`. */
  readonly asleep: number
  readonly contents: Contents
}

/** `step`: the thread takes its next step; `time-out`: its wait ends; `death`: a kill reaches it. */
export type Way = 'step' | 'time-out' | 'death'

/** The ways by their letters in a schedule. */
export const letters: Readonly<Record<Way, string>> = { step: '', 'time-out': 't', death: 'x' }

/** What a thread can do in a state, and what that does. */
export interface Move {
  readonly thread: number
  readonly way: Way
  /** False where the thread is blocked: then the places say what it waits for. */
  readonly enabled: boolean
  /** One bit for each move that can be enabled in one state. */
  readonly bit: number
  /** The places whose value matters to it. */
  readonly touches: readonly number[]
  /** Those among them that it changes. */
  readonly changes: readonly number[]
  readonly result: Value
  readonly state: State
}

/** All ways. */
export const ways: readonly Way[] = ['step', 'time-out', 'death']

/** Objects to a plain access by throwing; `value` tells what is in a place. */
export type JudgeAccess = (
  thread: number,
  place: number,
  isWrite: boolean,
  value: (place: number) => number,
) => void

/** A bit for each way of each thread must fit into a word. */
const mostThreads = 10

/** The bit of a thread's way. */
export function bitOf(thread: number, way: Way): number {
  return 1 << (thread * ways.length + ways.indexOf(way))
}

const scratch: Words = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

/** The rules of a model. */
export class World {
  readonly #places: Places
  readonly #locals: Locals
  readonly #names: readonly string[]
  readonly #timeOuts: number
  readonly #judge: JudgeAccess
  readonly #contents: AllContents

  constructor(
    places: Places,
    locals: Locals,
    names: readonly string[],
    timeOuts: number,
    judge: JudgeAccess,
  ) {
    if (names.length > mostThreads) throw new Misuse(`More than ${mostThreads} threads`)
    this.#places = places
    this.#locals = locals
    this.#names = names
    this.#timeOuts = timeOuts
    this.#judge = judge
    this.#contents = new AllContents(places.initial)
  }

  /** The state before the first step. */
  first(): State {
    const locals = this.#names.map((_, thread) => this.#locals.first(thread))
    let state: State = { locals, asleep: 0, contents: this.#contents.first }
    for (const thread of locals.keys()) {
      const effect = this.#effect(state, thread)
      effect.begin()
      state = effect.move('step', true).state
    }
    return state
  }

  /** What a place holds. */
  value(state: State, place: number): number {
    return this.#contents.value(state.contents, place)
  }

  /** Equal for equal states. */
  key({ locals, asleep, contents }: State): string {
    let key = `${asleep} ${contents.id}`
    for (const { id } of locals) key += ` ${id}`
    return key
  }

  /** All moves of a state, and what the threads that are blocked wait for. */
  moves(state: State): Move[] {
    const moves: Move[] = []
    for (const [thread, local] of state.locals.entries()) {
      const life = this.value(state, this.#places.life(thread))
      if (life >= Life.RETURNED || local.next === null) continue
      moves.push(this.#step(state, thread, local.next))
      if (life === Life.DOOMED) moves.push(this.#death(state, thread))
    }
    return moves
  }

  #step(state: State, thread: number, operation: Operation): Move {
    const effect = this.#effect(state, thread)
    if ((state.asleep & (1 << thread)) !== 0)
      return effect.move('time-out', this.#timeOut(effect, operation))
    return effect.move('step', this.#play(effect, operation))
  }

  #effect(state: State, thread: number): Effect {
    return new Effect(this.#places, this.#locals, this.#judge, this.#contents, state, thread)
  }

  #timeOut(effect: Effect, { place, args }: Operation): boolean {
    if (!isTimed(args)) return false
    const used = effect.get(timeOutPlace)
    if (used >= this.#timeOuts) return false
    effect.set(timeOutPlace, used + 1)
    effect.change(place)
    effect.wake(effect.thread, 'timed-out')
    return true
  }

  #death(state: State, thread: number): Move {
    const effect = this.#effect(state, thread)
    effect.end(thread)
    return effect.move('death', true)
  }

  /** Plays an operation; false where the thread is blocked in it. */
  #play(effect: Effect, operation: Operation): boolean {
    const { op, place } = operation
    if (op === 'wait') return playWait(effect, operation)
    if (op === 'notify') {
      for (const thread of this.#sleepers(effect.state, place)) {
        effect.change(place)
        effect.wake(thread, 'ok')
      }
      effect.get(place)
      return effect.give(null)
    }
    if (isPlain(op)) return false
    return isOfMemory(op)
      ? playOnWord(effect, op, operation)
      : this.#playModel(effect, op, operation)
  }

  /** Plays an operation of {@link Model}; false where the thread is blocked in it. */
  #playModel(
    effect: Effect,
    op: Exclude<Operation['op'], MemoryOp | PlainOp>,
    { place, args }: Operation,
  ): boolean {
    const value = effect.get(place)
    const { lists } = this.#places
    switch (op) {
      case 'post':
        effect.set(place, lists.push(value, args[0]))
        return effect.give(undefined)
      case 'receive':
      case 'tryReceive':
        if (value === 0) return op === 'tryReceive' && effect.give(undefined)
        effect.set(place, lists.shift(value))
        return effect.give(lists.of(value)[0])
      case 'note': {
        const [name, noted] = args
        const note = { thread: this.#names[effect.thread], name, value: noted }
        effect.set(place, lists.push(value, note))
        return effect.give(undefined)
      }
      case 'terminate':
        if (value < Life.RETURNED) effect.end(place - this.#places.life(0))
        return place === this.#places.life(effect.thread) || effect.give(undefined)
      case 'kill':
        if (value === Life.ALIVE) effect.set(place, Life.DOOMED)
        return effect.give(undefined)
      case 'ended':
      default:
        return value >= Life.RETURNED && effect.give(undefined)
    }
  }

  #sleepers({ locals, asleep }: State, place: number): number[] {
    return locals.flatMap((local, thread) =>
      (asleep & (1 << thread)) !== 0 && local.next?.place === place ? [thread] : [],
    )
  }
}

/** Whether a wait with these arguments ends by itself. */
export function isTimed([, timeoutMs]: readonly Value[]): boolean {
  return typeof timeoutMs === 'number' && timeoutMs < Infinity
}

function playWait(effect: Effect, { place, args }: Operation): boolean {
  const [expected, timeoutMs] = args
  if (effect.get(place) !== expected) return effect.give('not-equal')
  if (typeof timeoutMs === 'number' && timeoutMs <= 0) return effect.give('timed-out')
  effect.change(place)
  effect.sleep()
  return true
}

function isPlain(op: Operation['op']): op is PlainOp {
  return op in plain
}

function isOfMemory(op: Operation['op']): op is MemoryOp {
  return op in operations
}

/** An operation on a word does to it what the table of operations says. */
function playOnWord(effect: Effect, op: MemoryOp, { place, args }: Operation): boolean {
  const value = effect.get(place)
  scratch[0] = value
  const result = act(op, scratch, 0, args as readonly number[])
  effect.set(place, scratch[0])
  return effect.give(result)
}

/** What a move does, while that is worked out. */
class Effect {
  readonly state: State
  readonly thread: number
  readonly #places: Places
  readonly #threads: Locals
  readonly #judge: JudgeAccess
  #locals: readonly Local[]
  readonly #all: AllContents
  #contents: Contents
  readonly #touches: number[]
  readonly #changes: number[] = []
  #asleep: number
  #result: Value = undefined

  constructor(
    places: Places,
    threads: Locals,
    judge: JudgeAccess,
    all: AllContents,
    state: State,
    thread: number,
  ) {
    this.#judge = judge
    this.state = state
    this.thread = thread
    this.#places = places
    this.#threads = threads
    this.#locals = state.locals
    this.#all = all
    this.#contents = state.contents
    this.#asleep = state.asleep
    // A termination of this thread would undo each of its moves.
    this.#touches = [places.life(thread)]
  }

  get(place: number): number {
    this.#touch(place)
    return this.#all.value(this.#contents, place)
  }

  set(place: number, value: number): void {
    if (this.get(place) === value) return
    this.#contents = this.#all.with(this.#contents, place, value)
    this.change(place)
  }

  /** Says that a place is not as it was, though it may hold the same value. */
  change(place: number): void {
    this.#touch(place)
    if (!this.#changes.includes(place)) this.#changes.push(place)
  }

  /** The thread's own operation has a result. */
  give(result: Value): true {
    this.#result = result
    this.#advance(this.thread, result)
    return true
  }

  sleep(): void {
    this.#asleep |= 1 << this.thread
  }

  wake(thread: number, result: 'ok' | 'timed-out'): void {
    if (thread === this.thread) this.#result = result
    this.#asleep &= ~(1 << thread)
    if (thread !== this.thread) this.change(this.#places.life(thread))
    this.#advance(thread, result)
  }

  /** A thread is terminated. */
  end(thread: number): void {
    this.#asleep &= ~(1 << thread)
    this.set(this.#places.life(thread), Life.TERMINATED)
    this.#locals = this.#locals.with(thread, this.#threads.gone)
  }

  move(way: Way, enabled: boolean): Move {
    return {
      thread: this.thread,
      way,
      enabled,
      bit: bitOf(this.thread, way),
      touches: this.#touches,
      changes: this.#changes,
      result: this.#result,
      state: { locals: this.#locals, asleep: this.#asleep, contents: this.#contents },
    }
  }

  #advance(thread: number, result: Value): void {
    const local = this.#locals[thread]
    if (local === undefined) return
    this.#arrive(thread, this.#threads.after(thread, local, result))
  }

  /** The thread comes to its first step. */
  begin(): void {
    const local = this.#locals[this.thread]
    if (local !== undefined) this.#arrive(this.thread, local)
  }

  /**
   * A thread comes to its next step: what it does on the way to it is part of the step before. Plain accesses
   * count for nothing that others do, and so do not matter for the order of steps: see `Protocol.holds`.
   */
  #arrive(thread: number, first: Local): void {
    let local = first
    for (let { next } = local; next !== null && isPlain(next.op); { next } = local)
      local = this.#threads.after(thread, local, this.#access(thread, next))
    this.#locals = this.#locals.with(thread, local)
    if (local.next === null) this.set(this.#places.life(thread), Life.RETURNED)
  }

  /** Makes a plain access, and gives its result. */
  #access(thread: number, { op, place, args }: Operation): Value {
    const value = (of: number): number => this.#all.value(this.#contents, of)
    this.#judge(thread, place, op === 'put', value)
    if (op === 'get') return value(place)
    this.#contents = this.#all.with(this.#contents, place, args[0] as number)
    return null
  }

  #touch(place: number): void {
    if (!this.#touches.includes(place)) this.#touches.push(place)
  }
}
