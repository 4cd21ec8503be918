/**
 * The list of works that a vhost worker has been given, in shared words: a list to which anybody adds
 * in front, and which its worker takes as a whole (as the kernel's llist, VH-10, VH-11).
 *
 * | word          | holds                                                        | moved by                  |
 * | ------------- | ------------------------------------------------------------ | ------------------------- |
 * | HEAD          | the item added last, + 1; 0: empty; CLOSED: takes none       | who adds: CAS; worker: swap |
 * | NEXT + item   | 0: not queued; ADDING: soon; the one before it, + 1; or LAST | who adds; the worker: to 0  |
 *
 * An item's word is the flag QUEUED of the kernel: not 0 means that it is in the list, or in what the
 * worker has taken and not begun yet. So an item is in one list at most, at most once (INV-VH-1), and a
 * list never overflows: there is a word for each item.
 *
 * Two threads add, the worker's own and its owner's, but each item is added by one of them alone: another who
 * found it at ADDING could not say whether it will be in the list, nor what it will lie behind. The worker
 * alone takes and closes. A thread that is terminated between its two steps leaves an item at ADDING; then
 * the list has ended with it, for it was the worker's, or its owner's, which takes the worker along.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'

const HEAD = 0
const NEXT = 1

const CLOSED = -1
const LAST = -1
const ADDING = -2

/** A list for items with the numbers from 0 on. */
export function makeList(items: number): Words {
  return memory.allocate(NEXT + items)
}

/** How many items a list has. */
export function itemsOf(list: Words): number {
  return list.length - NEXT
}

/**
 * Adds an item, unless it is queued already. In both cases a run of it begins after this (INV-VH-2).
 *
 * @returns false when the list is closed: nothing runs
 */
export function add(list: Words, item: number): boolean {
  const next = NEXT + item
  if (!memory.replace(list, next, 0, ADDING)) return true
  for (;;) {
    const head = memory.load(list, HEAD)
    if (head === CLOSED) {
      memory.store(list, next, 0)
      return false
    }
    // Whoever takes the list reads this after the swap of HEAD, and so after it is written.
    memory.store(list, next, head === 0 ? LAST : head)
    if (memory.replace(list, HEAD, head, item + 1)) return true
  }
}

/** Whether there is anything: a hint (VH-17). */
export function hasWork(list: Words): boolean {
  return memory.load(list, HEAD) > 0
}

/**
 * Worker: takes all items, in the order in which they were added (INV-VH-3). Each is to be begun by
 * {@link begin}.
 */
export function take(list: Words): number[] {
  if (memory.load(list, HEAD) <= 0) return []
  return inOrder(list, memory.swap(list, HEAD, 0))
}

/**
 * Worker: closes the list for ever. Of an item that is added meanwhile either {@link add} says so, or it
 * is in what this returns (INV-VH-8).
 *
 * @returns what was in it, in order
 */
export function close(list: Words): number[] {
  return inOrder(list, memory.swap(list, HEAD, CLOSED))
}

/** Worker: the run of an item begins now. Whoever adds it from here on causes another run (VH-11). */
export function begin(list: Words, item: number): void {
  memory.store(list, NEXT + item, 0)
}

function inOrder(list: Words, head: number): number[] {
  const items: number[] = []
  for (let each = head; each > 0; each = memory.load(list, NEXT + each - 1)) items.push(each - 1)
  return items.toReversed()
}
