/**
 * The search through all interleavings of a protocol: depth first, with the states it has seen, sleep sets
 * (Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems", chapters 5 and 6),
 * and private moves (`privacy.ts`).
 *
 * @module
 */
import { scheduleOf, type Game, type Moves } from './game.js'
import { independent, NotPrivate, Privacy } from './privacy.js'
import { bitOf, type Move, type State } from './world.js'

/** How to search. */
export interface SearchOptions {
  /** The most pre-emptions: switches away from a thread that could go on. Infinity: all of them. */
  readonly preemptions: number
  /** The most states; a search that would need more is a failure. */
  readonly mostStates: number
  /**
   * `none` looks at every interleaving by itself, `states` at each state once; `all` leaves out steps and
   * states that differ in the order of independent steps alone.
   */
  readonly reduction: 'none' | 'states' | 'all'
  /** Called for each state without moves, each time it is reached. */
  readonly onEnd?: (state: State) => void
}

/** Private moves in a row: a loop of them comes to a state that is noted as seen. */
const mostPassed = 64

const defaults: SearchOptions = {
  preemptions: Infinity,
  mostStates: 2_000_000,
  reduction: 'all',
}

/** A broken promise, and how to see it again. */
export interface Failure {
  readonly complaint: string
  readonly schedule: string
}

/** What a search found. */
export interface Findings {
  /** The states seen, each counted once. */
  readonly states: number
  /** The steps taken. */
  readonly steps: number
  /** How often an end was reached. */
  readonly schedules: number
  /** The most pre-emptions in a schedule that was explored. */
  readonly preemptions: number
  /** False: there are more states than the search may look at. */
  readonly finished: boolean
  readonly failure: Failure | null
}

interface Frame {
  readonly state: State
  readonly moves: readonly Move[]
  /** The moves still to be taken. */
  todo: readonly Move[]
  /** The bits of the moves that need not be taken: what they lead to is explored elsewhere. */
  sleep: number
  readonly taken: Move | null
  /** How many states before it were not noted as seen. */
  readonly passed: number
  /** The thread that moved last, and the pre-emptions on the way here. */
  readonly last: number
  readonly preemptions: number
}

/** Searches a protocol. It stops at the first failure. */
export function search(game: Game, options: Partial<SearchOptions> = {}): Findings {
  const privacy = new Privacy()
  for (;;) {
    try {
      return new Search(game, { ...defaults, ...options }, privacy).run()
    } catch (error) {
      if (!(error instanceof NotPrivate)) throw error
      privacy.forget()
    }
  }
}

class Search {
  readonly #game: Game
  readonly #options: SearchOptions
  readonly #privacy: Privacy
  readonly #usesPrivacy: boolean
  readonly #usesSleep: boolean
  readonly #isBounded: boolean
  /**
   * By state: the sleep set with which it was explored; with a bound, the fewest pre-emptions.
   */
  readonly #seen = new Map<string, number>()
  readonly #stack: Frame[] = []
  #states = 0
  #steps = 0
  #schedules = 0
  #most = 0

  constructor(game: Game, options: SearchOptions, privacy: Privacy) {
    this.#game = game
    this.#options = options
    this.#privacy = privacy
    // With a bound, an order that is left out as equal to another may be the only one of the two within the
    // bound: so nothing is left out then, but states that were reached with fewer pre-emptions.
    this.#isBounded = options.preemptions < Infinity
    this.#usesSleep = options.reduction === 'all' && !this.#isBounded
    // An invariant of all states must see those in which a private step was not taken yet.
    this.#usesPrivacy = this.#usesSleep && !game.judgesAll
  }

  run(): Findings {
    const first = this.#game.first()
    if ('complaint' in first) return this.#findings(first.complaint)
    let complaint = this.#enter(first, 0, null, -1, 0)
    while (complaint === null) {
      const frame = this.#stack.at(-1)
      if (frame === undefined) return this.#findings(null)
      const [move, ...todo] = frame.todo
      if (move === undefined) {
        this.#stack.pop()
        continue
      }
      if (this.#states > this.#options.mostStates) {
        const most = this.#options.mostStates
        return this.#findings(
          `The search is not finished: there are more than ${most} states`,
          false,
        )
      }
      frame.todo = todo
      complaint = this.#take(frame, move)
    }
    return this.#findings(complaint)
  }

  #take(frame: Frame, move: Move): string | null {
    const preemptions = frame.preemptions + (isPreemption(frame, move) ? 1 : 0)
    if (preemptions > this.#options.preemptions) return null
    this.#steps++
    this.#most = Math.max(this.#most, preemptions)
    let sleep = 0
    if (this.#usesSleep) {
      for (const other of frame.moves)
        if ((frame.sleep & other.bit) !== 0 && independent(move, other)) sleep |= other.bit
      frame.sleep |= move.bit
    }
    const last = move.way === 'step' ? move.thread : frame.last
    return this.#enter(move.state, sleep, move, last, preemptions)
  }

  /** Comes to a state: judges it, and puts it on the stack if there is more to explore from it. */
  #enter(
    state: State,
    sleep: number,
    taken: Move | null,
    last: number,
    preemptions: number,
  ): string | null {
    const frame = { state, moves: [], todo: [], sleep, taken, last, preemptions, passed: 0 }
    // Before it is noted as seen: of states that are left by a private move only the last is worth that.
    const early = this.#usesPrivacy ? this.#game.moves(state) : null
    if (early !== null && this.#passes(frame, early)) return null
    const known = this.#remember(state, sleep, last, preemptions)
    if (known === 'done') return null
    const all = early ?? this.#game.moves(state)
    if ('complaint' in all) {
      this.#stack.push(frame)
      return all.complaint
    }
    const moves = all.filter(({ enabled }) => enabled)
    if (known === 'new') {
      const complaint = this.#judge(state, moves)
      if (complaint !== null) {
        this.#stack.push(frame)
        return complaint
      }
    } else if (moves.length === 0) this.#end(state)
    if (moves.length === 0) return null
    const chosen = this.#choose(moves)
    const again = typeof known === 'number' ? known : ~0
    const todo = chosen.filter(({ bit }) => (sleep & bit) === 0 && (again & bit) !== 0)
    const rest = typeof known === 'number' ? sleep & known : sleep
    if (todo.length > 0) this.#stack.push({ ...frame, moves, todo, sleep: rest })
    return null
  }

  /** Passes on through a state that is left by a private move, if it is one. */
  #passes(frame: Frame, all: Moves): boolean {
    if ('complaint' in all) return false
    this.#privacy.learn(all)
    const moves = all.filter(({ enabled }) => enabled)
    const own = this.#privacy.find(moves)
    const passed = (this.#stack.at(-1)?.passed ?? 0) + 1
    if (own === null || passed === mostPassed) return false
    // Asleep: what it leads to is explored elsewhere.
    if ((frame.sleep & own.bit) === 0) this.#stack.push({ ...frame, moves, todo: [own], passed })
    return true
  }

  /**
   * Notes that a state is explored: `done` when it was already, a set of moves when only those are left of
   * it, which slept when it was explored and do not sleep now.
   */
  #remember(
    state: State,
    sleep: number,
    last: number,
    preemptions: number,
  ): 'new' | 'done' | number {
    if (this.#options.reduction === 'none') {
      this.#states++
      return 'new'
    }
    const key = this.#isBounded ? `${last}:${this.#game.key(state)}` : this.#game.key(state)
    const before = this.#seen.get(key)
    if (before === undefined) {
      this.#states++
      this.#seen.set(key, this.#isBounded ? preemptions : sleep)
      return 'new'
    }
    if (this.#isBounded) {
      if (before <= preemptions) return 'done'
      this.#seen.set(key, preemptions)
      return ~0
    }
    const left = before & ~sleep
    this.#seen.set(key, before & sleep)
    return left === 0 ? 'done' : left
  }

  #judge(state: State, moves: readonly Move[]): string | null {
    const complaint = this.#game.judgesAll ? this.#game.always(state) : null
    if (complaint !== null || moves.length > 0) return complaint
    this.#end(state)
    return this.#game.check(state)
  }

  #end(state: State): void {
    this.#schedules++
    this.#options.onEnd?.(state)
  }

  #choose(moves: readonly Move[]): readonly Move[] {
    if (!this.#usesPrivacy) return moves
    const own = this.#privacy.find(moves)
    return own === null ? moves : [own]
  }

  #findings(complaint: string | null, finished = true): Findings {
    const taken = this.#stack.flatMap((frame) => (frame.taken === null ? [] : [frame.taken]))
    return {
      states: this.#states,
      steps: this.#steps,
      schedules: this.#schedules,
      preemptions: this.#most,
      finished,
      failure: complaint === null ? null : { complaint, schedule: scheduleOf(taken) },
    }
  }
}

/** Whether a move takes the turn from a thread that could take its next step. */
function isPreemption({ last, moves }: Frame, move: Move): boolean {
  if (last < 0 || move.thread === last || move.way === 'death') return false
  const bit = bitOf(last, 'step')
  return moves.some((other) => other.bit === bit)
}
