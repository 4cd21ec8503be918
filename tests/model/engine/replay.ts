/**
 * A schedule, step by step, in words.
 *
 * @module
 */
import { movesOf, type Game } from './game.js'
import type { Value } from './protocol.js'
import { bitOf, type Move, type State } from './world.js'

/** Tells what happens in a schedule, a line for each step, and what is wrong at its end. */
export function replay(game: Game, schedule: string): string[] {
  const chosen = movesOf(schedule)
  if (chosen === null)
    return [`'${schedule}' is no schedule: write numbers of threads, as in 0*3.1.0t`]
  const lines = game.names.map((name, thread) => `thread ${thread} is ${name}`)
  let state = game.first()
  if ('complaint' in state) return [...lines, state.complaint]
  for (const [step, { thread, way }] of chosen.entries()) {
    const moves = game.moves(state)
    if ('complaint' in moves) return [...lines, moves.complaint]
    const move = moves.find(({ enabled, bit }) => enabled && bit === bitOf(thread, way))
    if (move === undefined) return [...lines, `step ${step + 1}: ${thread} cannot move: ${way}`]
    lines.push(`${String(step + 1).padStart(4)}  ${told(game, state, move)}`)
    state = move.state
    const complaint = game.always(state)
    if (complaint !== null) return [...lines, complaint]
  }
  return [...lines, ...last(game, state)]
}

/** What is to be said of the state a schedule leads to. */
function last(game: Game, state: State): string[] {
  const moves = game.moves(state)
  if ('complaint' in moves) return [moves.complaint]
  const able = moves.filter(({ enabled }) => enabled)
  const lines = able.map((move) => `next  ${told(game, state, move)}`)
  return able.length > 0 ? lines : [game.check(state) ?? 'No promise is broken']
}

/** A step in words: who does what where, what comes of it, and what that changes. */
function told(game: Game, state: State, move: Move): string {
  const name = game.names[move.thread] ?? ''
  const next = state.locals[move.thread]?.next
  if (move.way === 'death' || next === null || next === undefined) return `${name}: is terminated`
  const place = game.placeName(next.place)
  const isWord = game.places.word(next.place) !== null
  const shown = (value: Value): string =>
    isWord && typeof value === 'number'
      ? game.valueName(next.place, value)
      : (JSON.stringify(value) ?? 'undefined')
  const args = next.args.filter((arg) => arg !== undefined).map(shown)
  const did = [`${name}: ${next.op} ${place}`, ...args].join(' ')
  if (move.way === 'time-out') return `${did}: timed-out`
  const before = game.value(state, next.place)
  const after = game.value(move.state, next.place)
  const change = isWord && before !== after ? [`${place} = ${shown(after)}`] : []
  const slept = (move.state.asleep & ~state.asleep) !== 0 ? ['falls asleep'] : []
  const woke = game.names.filter(
    (_, thread) => (state.asleep & ~move.state.asleep & (1 << thread)) !== 0,
  )
  const result = move.result === null || move.result === undefined ? [] : [shown(move.result)]
  const wakes = woke.length > 0 ? [`wakes ${woke.join(', ')}`] : []
  const effects = [...result, ...change, ...slept, ...wakes]
  return effects.length === 0 ? did : `${did}: ${effects.join('; ')}`
}
