/**
 * A protocol made ready to be played: its words made, its threads before their first step.
 *
 * @module
 */
import { viewOf, type Words } from '../operations.js'
import { Locals, Broken, withRealWords, withValues } from './local.js'
import { Life, logPlace, Places } from './places.js'
import {
  Misuse,
  type Complaint,
  type Model,
  type Note,
  type Outcome,
  type Protocol,
  type Value,
} from './protocol.js'
import { isTimed, letters, ways, World, type JudgeAccess, type Move, type State } from './world.js'

/** The moves of a state, or why there are none. */
export type Moves = readonly Move[] | { readonly complaint: string }

/** A protocol with its world. */
export class Game {
  readonly protocol: Protocol
  readonly names: readonly string[]
  readonly places: Places
  readonly #context: unknown
  readonly #world: World

  constructor(protocol: Protocol) {
    this.protocol = protocol
    this.names = Object.keys(protocol.threads)
    const places = new Places(this.names.length)
    this.places = places
    this.#context = withRealWords(places, () => protocol.setUp())
    places.begin()
    const bodies = Object.entries(protocol.threads).map(
      ([name, body]) =>
        [name, (model: Model, start: Value) => body(this.#context, model, start)] as const,
    )
    const isTime = (index: number, words: Words): boolean =>
      protocol.isTime?.(index, this.#context, viewOf(words)) ?? false
    const locals = new Locals(Object.fromEntries(bodies), places, isTime)
    const timeOuts = protocol.timeOuts ?? 1
    this.#world = new World(places, locals, this.names, timeOuts, this.#judgeAccess)
  }

  /** The state before the first step, or a complaint about what a thread did before it. */
  first(): State | { readonly complaint: string } {
    return orComplaint(() => this.#world.first())
  }

  /** All moves of a state, those of blocked threads too, or a complaint about what a thread does in one. */
  moves(state: State): Moves {
    return orComplaint(() => this.#world.moves(state))
  }

  key(state: State): string {
    return this.#world.key(state)
  }

  /** Whether all states are to be judged. */
  get judgesAll(): boolean {
    return this.protocol.always !== undefined
  }

  /** The complaint about a state, or null. */
  always(state: State): string | null {
    return this.#judge(state, () => this.protocol.always?.(this.#context))
  }

  /** The complaint about a state without moves, or null. */
  check(state: State): string | null {
    const threads = Object.fromEntries(
      this.names.map((name, thread) => [name, this.#outcome(state, thread)]),
    )
    const log = this.places.lists.of(this.#world.value(state, logPlace)) as unknown as Note[]
    return this.#judge(state, () => this.protocol.check({ threads, log }, this.#context))
  }

  /** Objects to a plain access by who does not hold the word. */
  readonly #judgeAccess: JudgeAccess = (thread, place, isWrite, value) => {
    const { words, index } = this.places.word(place) as { words: Words; index: number }
    const name = this.names[thread] ?? ''
    const { protocol, places } = this
    if (protocol.holds === undefined)
      throw new Misuse(`${name} uses words past the door: the protocol must say who \`holds\` them`)
    const isGone = (other: string): boolean =>
      value(places.life(this.names.indexOf(other))) >= Life.RETURNED
    const access = { thread: name, words: viewOf(words), index, isWrite, isGone }
    const complaint = withValues(places, value, () => protocol.holds?.(access, this.#context))
    if (complaint === undefined) return
    const what = isWrite ? 'writes' : 'reads'
    throw new Broken(`${name} ${what} ${this.placeName(place)}: ${complaint}`)
  }

  /** A place in words. */
  placeName(place: number): string {
    const word = this.places.word(place)
    if (word === null) return this.places.name(place, this.names)
    const { index, words } = word
    return this.protocol.wordName?.(index, this.#context, viewOf(words)) ?? `word ${index}`
  }

  /** A value of a place in words. */
  valueName(place: number, value: number): string {
    const word = this.places.word(place)
    const meaning = word === null ? undefined : this.protocol.valueName?.(value, word.index)
    return meaning === undefined || meaning === '' ? String(value) : `${value} (${meaning})`
  }

  /** What a place holds. */
  value(state: State, place: number): number {
    return this.#world.value(state, place)
  }

  /** All words of the threads' steps, as places, with what they held at first. */
  finalWords(state: State): string[] {
    return this.places
      .allWords()
      .map((place) => `${this.placeName(place)} = ${this.#world.value(state, place)}`)
      .sort()
  }

  #outcome(state: State, thread: number): Outcome {
    const life = this.#world.value(state, this.places.life(thread))
    const local = state.locals[thread]
    if (life === Life.TERMINATED) return { state: 'terminated' }
    if (local === undefined || local.next === null)
      return { state: 'returned', value: local?.value }
    const { op, place, args } = local.next
    const timed = op === 'wait' && isTimed(args)
    return { state: 'asleep', on: `${op} ${this.placeName(place)}`, timed }
  }

  #judge(state: State, judge: () => Complaint): string | null {
    this.places.show(state.contents.values)
    try {
      return withRealWords(this.places, judge) ?? null
    } catch (error) {
      if (error instanceof Misuse) throw error
      return error instanceof Error ? error.message : String(error)
    }
  }
}

/**
 * Moves as a schedule: each is the thread's number and the letter of its way; `0*3` is three times `0`.
 */
export function scheduleOf(moves: readonly Pick<Move, 'thread' | 'way'>[]): string {
  const runs: { token: string; count: number }[] = []
  for (const { thread, way } of moves) {
    const token = `${thread}${letters[way]}`
    const last = runs.at(-1)
    if (last?.token === token) last.count++
    else runs.push({ token, count: 1 })
  }
  return runs.map(({ token, count }) => (count === 1 ? token : `${token}*${count}`)).join('.')
}

/** The moves of a schedule; null where it is none. */
export function movesOf(schedule: string): Pick<Move, 'thread' | 'way'>[] | null {
  const moves: Pick<Move, 'thread' | 'way'>[] = []
  for (const token of schedule === '' ? [] : schedule.split('.')) {
    const [, thread = '', letter = '', count = '1'] =
      /^(\d+)([a-z]?)(?:\*(\d+))?$/.exec(token) ?? []
    const way = ways.find((one) => letters[one] === letter)
    if (thread === '' || way === undefined) return null
    for (let left = Number(count); left > 0; left--) moves.push({ thread: Number(thread), way })
  }
  return moves
}

function orComplaint<Result>(run: () => Result): Result | { readonly complaint: string } {
  try {
    return run()
  } catch (error) {
    if (error instanceof Broken) return { complaint: error.message }
    throw error
  }
}
