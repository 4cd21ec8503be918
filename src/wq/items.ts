/**
 * The items of a work whose caller takes them one by one.
 *
 * @module
 */
import { invalid } from '../errors.js'
import type { Post } from './post.js'
import type { Running } from './running-work.js'

/** Sends the items of what a handler returned, as the caller takes them. */
export async function sendItems(
  work: Running,
  returned: unknown,
  post: Pick<Post, 'tellValue'>,
): Promise<void> {
  const items = (await returned) as AsyncIterable<unknown>
  if (!isIterable(items)) {
    throw invalid(`'${work.name}' returned nothing that has items: call it with queue.run()`)
  }
  for await (const value of items) {
    if (!(await work.room())) break
    post.tellValue({ type: 'item', id: work.id, value }, 'An item of a stream')
  }
  work.signal.throwIfAborted()
}

function isIterable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.asyncIterator in value || Symbol.iterator in value
}

/** Whether a handler has returned something to wait for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null) return false
  return value instanceof Promise || typeof (value as { then?: unknown }).then === 'function'
}
