/**
 * Works by chance: what is asked for, with what, and what must come of it.
 *
 * @module
 */
import type { WorkOptions } from '../../../../src/index.js'
import type { Asked } from '../ledger.js'
import { among, once, type Scene, type Stage } from './scene.js'
import type { SimulatedProgram } from './simulated.js'

declare const simulated: SimulatedProgram

const { below } = simulated

/** A handler's arguments, and its result. */
interface Call {
  readonly name: string
  readonly args: readonly unknown[]
  readonly expected: unknown
  readonly transfer?: readonly ArrayBuffer[]
}

/** A value that goes to a worker and back: in a slot, in a block, or by message. */
function value(): unknown {
  const shared = new Int32Array(new SharedArrayBuffer(16))
  const ring: { name: string; self?: unknown } = { name: 'ring' }
  ring.self = ring
  return among<() => unknown>(
    () => below(1000) - 500,
    () => 'text',
    () => null,
    () => undefined,
    () => 'Übergrößenträger'.repeat(1 + below(40)),
    () => 'long '.repeat(1 + below(4000)),
    () => ({ a: 1, b: [true, null, 'c'], d: { e: 1.5 } }),
    () => Array.from({ length: below(200) }, (_, index) => ({ index, text: `${index}` })),
    () => new Map([['set', new Set([1, 2n])]]),
    () => new Date(below(1e9)),
    () => new Uint8Array(1 + below(3000)).fill(7),
    () => ring,
    () => shared,
    () => new Float64Array(once(8) ? 40_000 : 40),
  )()
}

function call(): Call {
  const kinds: readonly (() => Call)[] = [
    () => ({ name: 'add', args: [3, 4], expected: 7 }),
    () => ({ name: 'add', args: [below(9), 0.5], expected: undefined }),
    () => echo(),
    () => echo(),
    () => waiting(below(20)),
    () => waiting(below(300)),
    () => sameAsArgument('attend', below(1000)),
    () => sameAsArgument('spin', below(60)),
    () => ({ name: 'fail', args: [], expected: undefined }),
    () => sameAsArgument('block', below(40)),
    () => sameAsArgument('tell', below(4)),
    () => moved(),
  ]
  if (once(60)) return { name: 'leave', args: [], expected: undefined }
  if (once(60)) return { name: 'crash', args: [below(20)], expected: undefined }
  const made = among(...kinds)()
  const [one, other] = made.args
  return made.name === 'add' ? { ...made, expected: Number(one) + Number(other) } : made
}

function echo(): Call {
  const sent = value()
  return { name: 'echo', args: [sent], expected: sent }
}

function waiting(ms: number): Call {
  const sent = value()
  return { name: 'wait', args: [ms, sent], expected: sent }
}

function sameAsArgument(name: string, argument: number): Call {
  return { name, args: [argument], expected: argument }
}

function moved(): Call {
  const bytes = new Uint8Array(1 + below(2000)).fill(3)
  return { name: 'move', args: [bytes], expected: bytes.slice(), transfer: [bytes.buffer] }
}

/** The options of a work, and what the model is to know of it. */
interface Chosen {
  readonly asked: Asked
  readonly options: WorkOptions
  readonly abort: AbortController | null
}

function choose(scene: Scene, stage: Stage, { name, expected, transfer }: Call): Chosen {
  const abort = once(8) ? new AbortController() : null
  const unbounded = once(4)
  const level = among(0, 1, 1, 1, 2)
  const after = followed(stage, unbounded)
  const key = after.length === 0 && once(3) ? among<string | number>('a', 'b', 3, 4) : undefined
  const timeoutMs = once(8) ? 1 + below(200) : 0
  const killAfterMs = once(8) ? below(100) : null
  const options: WorkOptions = {
    ...(abort === null ? {} : { signal: abort.signal }),
    ...(unbounded ? { unbounded } : {}),
    ...(level === 1 ? {} : { priority: level === 0 ? 'high' : 'low' }),
    ...(key === undefined ? {} : { key }),
    ...(timeoutMs === 0 ? {} : { timeoutMs }),
    ...(killAfterMs === null ? {} : { killAfterMs }),
    ...(transfer === undefined ? {} : { transfer }),
    ...(once(8) ? { concurrent: false } : {}),
    ...(name === 'tell' ? { onProgress: () => {} } : {}),
    ...(after.length === 0 ? {} : { after: after.map(({ work }) => work) }),
  }
  const { line, limit, works } = stage
  const asked: Asked = {
    queue: stage.name,
    unbounded,
    name,
    key,
    line,
    level,
    after: after.map(({ entry }) => entry.id),
    timeoutMs,
    killAfterMs,
    expected,
    store: scene.store?.getStore(),
    isBeyondLimit: works.filter(({ entry }) => entry.outcome === null).length >= limit,
  }
  return { asked, options, abort }
}

/** Works of the same class that another one is to follow. */
function followed(stage: Stage, unbounded: boolean): Stage['works'] {
  if (!once(10)) return []
  const recent = stage.works.slice(-12).filter(({ entry }) => entry.unbounded === unbounded)
  return recent.filter(() => once(4)).slice(0, 3)
}

/** Asks a queue for a work. */
export function ask(scene: Scene, stage: Stage): void {
  const made = call()
  const submit = (): void => {
    const { asked, options, abort } = choose(scene, stage, made)
    const entry = simulated.ledger.asked(asked)
    const work = stage.queue.enqueue(made.name, [entry.id, ...made.args], options)
    entry.submittedAt = simulated.ledger.now()
    stage.works.push({ entry, work, abort })
    work.result.then(
      (result) => simulated.ledger.settled(entry, 'done', result),
      (error: unknown) => simulated.ledger.settled(entry, 'failed', error),
    )
  }
  if (scene.store !== null && !once(3)) scene.store.run(among('red', 'green', 'blue'), submit)
  else submit()
}
