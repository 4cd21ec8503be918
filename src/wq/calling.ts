/**
 * The call of a work's handler: with which arguments, and inside of what.
 *
 * @module
 */
import { runWithin } from '../carry/index.js'
import { contextOf, Mark, type ClassMemory } from '../ring/index.js'
import { sendItems } from './items.js'
import type { Handler } from './numbered-handlers.js'
import type { Post } from './post.js'
import type { Running } from './running-work.js'
import { running } from './running.js'

/** What says that more than arguments came, or is to be found. */
const more = Mark.KEYED | Mark.CARRIED | Mark.CONTEXT

/**
 * A work's arguments, without what came along with them: see `valuesOf` in `capture.ts`. That goes
 * where it belongs.
 *
 * @throws what a carrier throws
 */
export function argumentsOf(
  work: Running,
  values: readonly unknown[],
  memory: ClassMemory,
  post: Post,
): readonly unknown[] {
  const { format } = work
  if ((format & more) === 0) return values
  let end = values.length
  if ((format & Mark.KEYED) !== 0) work.key = values[--end]
  const count = (format & Mark.CARRIED) === 0 ? 0 : (values[--end] as number)
  const from = end - count
  if ((format & (Mark.CARRIED | Mark.CONTEXT)) !== 0) {
    const context = (format & Mark.CONTEXT) === 0 ? 0 : contextOf(memory, work.slot)
    work.steps = post.restorer.stepsOf(context, values.slice(from, end))
  }
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
