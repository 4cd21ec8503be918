/**
 * Locks that threads of one disk share, each a word: 0, or the number of the thread that has it.
 *
 * A thread that is terminated leaves its lock behind. The number says whose it was: who finds that the
 * system has no such thread any more takes it.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'

/**
 * Tries to take a lock, for the thread with the number `bearer`. A number below 0 is that of a thread which
 * cannot be told from others: its lock stays its own.
 *
 * @param isGone - whether a thread has ended
 * @returns whether it has the lock now
 */
export function takeLock(
  words: Words,
  lock: number,
  bearer: number,
  isGone: (bearer: number) => boolean,
): boolean {
  const found = memory.load(words, lock)
  const isLeft = found > 0 && isGone(found)
  // Of several that find it left, one has it; nor does it fit who has taken it since.
  return memory.replace(words, lock, isLeft ? found : 0, bearer)
}

/** Gives a lock back. */
export function freeLock(words: Words, lock: number): void {
  memory.store(words, lock, 0)
}
