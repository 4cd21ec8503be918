/**
 * The call of a work's handler: with which arguments, and inside of what.
 *
 * @module
 */
import { runWithin, type Restorer } from '../carry/index.js'
import { Mark } from '../ring/index.js'
import { sendItems } from './items.js'
import type { Handler } from './numbered-handlers.js'
import type { Post } from './post.js'
import type { Running } from './running-work.js'
import { running } from './running.js'

/**
 * A work's arguments, without what came along with them: see `valuesOf` in `capture.ts`. That goes
 * where it belongs.
 *
 * @param context - the number of what it carries in common with others
 * @throws what a carrier throws
 */
export function argumentsOf(
  work: Running,
  values: readonly unknown[],
  context: number,
  restorer: Restorer,
): readonly unknown[] {
  const isKeyed = (work.format & Mark.KEYED) !== 0
  const isCarried = (work.format & Mark.CARRIED) !== 0
  if (!isKeyed && !isCarried && context === 0) return values
  let end = values.length
  if (isKeyed) work.key = values[--end]
  const count = isCarried ? (values[--end] as number) : 0
  const from = end - count
  if (isCarried || context !== 0) work.steps = restorer.stepsOf(context, values.slice(from, end))
  return from === values.length ? values : values.slice(0, from)
}

/** @returns what the handler returned; for a stream, what is settled once its items are sent */
export function callHandler(
  work: Running,
  handler: Handler,
  args: readonly unknown[],
  post: Post,
): unknown {
  const { steps } = work
  if (steps.length === 0) return call(work, handler, args, post)
  return runWithin(steps, () => call(work, handler, args, post))
}

function call(work: Running, handler: Handler, args: readonly unknown[], post: Post): unknown {
  if ((work.format & Mark.STREAM) === 0) return running.run(work, handler.call, args)
  return running.run(work, () => sendItems(work, handler.call(args), post))
}
