/**
 * Who sleeps, on both sides. Whoever is about to sleep says so first and looks for work second;
 * whoever brings work shows it first and looks for sleepers second. So one of the two sees the
 * other, and nobody is woken who is awake.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { asleepOf, coming, seats } from './layout.js'

/** Worker: says that it sleeps. It must look for work once more after this. */
export function lieDown(words: Words, seat: number): void {
  memory.or(words, asleepOf(seat), 1 << (seat & 31))
}

/** Worker: awake again. False: somebody has woken it meanwhile. */
export function getUp(words: Words, seat: number): boolean {
  const bit = 1 << (seat & 31)
  return (memory.and(words, asleepOf(seat), ~bit) & bit) !== 0
}

/** Whether a seat's worker says that it sleeps. */
export function isAsleep(words: Words, seat: number): boolean {
  return (memory.load(words, asleepOf(seat)) & (1 << (seat & 31))) !== 0
}

/**
 * Takes one sleeper out of those that sleep; the caller must wake it. The first seats first: the
 * others may sleep until they are not needed any more (WQ-14).
 *
 * @param used - no seat from this number on is taken
 * @returns its seat, or -1
 */
export function takeSleeper(words: Words, used: number = seats): number {
  for (let first = 0; first < used; first += 32) {
    for (;;) {
      const mask = memory.load(words, asleepOf(first))
      if (mask === 0) break
      const bit = 31 - Math.clz32(mask & -mask)
      // Another may have woken it, or it is up by itself.
      if (memory.and(words, asleepOf(first), ~(1 << bit)) & (1 << bit)) return first + bit
    }
  }
  return -1
}

/** Owner: how many workers are being made. */
export function setComing(words: Words, count: number): void {
  memory.store(words, coming, count)
}

/** The owner's one word: whether it waits in its event loop to be told of completions. */
const WAITING = 0

/** New memory for the owner's word. */
export function allocateOwner(): Words {
  return memory.allocate(16)
}

/** Owner: says that it waits. It must look for completions once more after this. */
export function ownerWaits(words: Words): void {
  memory.store(words, WAITING, 1)
}

/** Owner: awake again. */
export function ownerWorks(words: Words): void {
  memory.store(words, WAITING, 0)
}

/** Worker: whether the owner waits, and it is for this caller to wake it. */
export function takeWaitingOwner(words: Words): boolean {
  return memory.load(words, WAITING) === 1 && memory.replace(words, WAITING, 1, 0)
}
