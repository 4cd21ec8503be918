/**
 * The table of all workers and owners of the process: one row of shared words for each, in one
 * buffer that every thread sees. `docs/internals/memory.md` lists who writes and reads each word.
 *
 * The rows are one tree. A worker's row is also the owner of what its thread makes; an owner that is
 * no thread (`new Owner`, a queue) has a row in the state OWNER; row 0 is the main thread's. What is
 * said of a row (limits, a freeze, an end) holds for all below it, by construction.
 *
 * The buffer travels as environment data, which Node hands to every thread made afterwards: to our
 * workers, to theirs, and to raw `Worker`s in between.
 *
 * A row is claimed by one compare-and-swap on its `PARENT` word, from 0 to the claimer's own row
 * plus one. So a claimed row names its parent from its first instant: when a thread is terminated
 * right after a claim, or with workers of its own, {@link releaseTree} of the highest survivor
 * finds all of it.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { UserWorkerError } from '../errors.js'
import { getEnvironmentData, onThread, setEnvironmentData, threadId } from '../os/thread.js'
import { State, stateOf } from './state.js'

/** The words of a row. */
export const Field = {
  /** 0: the row is free. Otherwise the row of the owner, plus one. */
  PARENT: 0,
  /** State and requests: see `state.ts`. */
  CONTROL: 1,
  /** Goes up with each request. Every wait of a worker for requests is a wait on this word. */
  SEQUENCE: 2,
  /** The exit code; final once the state is EXITED. */
  EXIT_CODE: 3,
  /** The same word in the row of an owner that is no thread: its number, never given twice. */
  OWNER_NUMBER: 3,
  /** The thread's id in the operating system; 0 before it is known. */
  OS_THREAD: 4,
  /** The worker's number, counted up in this process and never given twice. */
  ID: 5,
  /** Node's number of the thread that made the worker, counted up in the process. */
  MAKER: 6,
  /** Counts `wake` calls: a sleep ends when it has moved since the thread last looked. */
  WAKES: 7,
  /** What the thread waits for: a number of {@link waits}. Only for people to read. */
  WAITING: 8,
  /** The numbers of the workers whose end this worker waits for: 4 words, 0 where free. */
  JOINS: 9,
  /** The most workers that there may be below this row; 0: no limit of its own. */
  LIMIT: 13,
  /** The most that the heap of each worker below may have, in MB; 0: no limit of its own. */
  HEAP_MB: 14,
  /** 1 once the limits above were found to allow this worker. */
  ADMITTED: 15,
} as const

/** How many ends one worker can wait for at a time and still be seen to (KT-18). */
export const joinSlots = 4

/** What a thread may wait for, in the order of the numbers in `WAITING`. */
export const waits = ['nothing', 'adoption', 'start', 'unpark', 'wake', 'sleep', 'thaw'] as const

/** What a thread waits for, as people read it. */
export type Wait = (typeof waits)[number]

/** Words of row 0 that mean something else there: the main thread's row needs no bell and no code. */
const Header = { HIGHEST_ROW: 2, LAST_ID: 3, LAST_OWNER: 4, TABLE_MAKER: 6 } as const

const lastOwner = Header.LAST_OWNER

/** 64 bytes: one cache line, so that two workers never write to the same one. */
const rowWords = 16
/**
 * 4,095 workers and owners: at 8.5 MB each they would need 34 GB. The table takes 256 KiB of address space, of
 * which the system backs the pages that were touched.
 */
const rows = 4096

/**
 * The layout is part of the key: another version of the library in the process has a table of its
 * own.
 */
const tableKey = 'userworker.table.3'
const ownRowKey = 'userworker.row.3'
const rowThreadKey = 'userworker.row-thread.3'

/** The index of a word of a row in the table. */
export function at(row: number, field: number): number {
  return row * rowWords + field
}

/** The table of this process. The first thread that asks makes it. */
export function table(): Words {
  const known = getEnvironmentData(tableKey)
  // Not `instanceof`: a test runner may give each test file globals of its own.
  if (known !== undefined) return watched(known as unknown as Words)
  const words = emptyTable()
  memory.store(words, at(0, Header.TABLE_MAKER), threadId + 1)
  setEnvironmentData(tableKey, words)
  return watched(words)
}

/**
 * Tells one table from another. Plain threads that were there before the first table make some of
 * their own, each with numbers of workers from 1 on.
 */
export function tableId(words: Words): number {
  return memory.load(words, at(0, Header.TABLE_MAKER))
}

let isWatching = false

/**
 * A thread that is no worker of ours may make some, and end. It has no row, so no row names it as
 * parent; the thread
 * that made it frees what it leaves, at its 'exit' event.
 */
function watched(words: Words): Words {
  if (isWatching) return words
  isWatching = true
  onThread((thread) => {
    const maker = thread.threadId
    thread.once('exit', () => {
      for (const row of claimedRows(words)) {
        if (memory.load(words, at(row, Field.MAKER)) === maker) releaseTree(words, row)
      }
    })
  })
  return words
}

/** A table in which every row is free. */
export function emptyTable(): Words {
  return memory.allocate(rows * rowWords)
}

/**
 * The row of the worker this thread belongs to: its own, that of the nearest worker above, or 0.
 */
export function ownRow(): number {
  const row = getEnvironmentData(ownRowKey)
  return typeof row === 'number' ? row : 0
}

/** Says, in a worker's thread, which row it has; threads made from here on inherit it. */
export function setOwnRow(row: number): void {
  setEnvironmentData(ownRowKey, row)
  setEnvironmentData(rowThreadKey, threadId)
}

/**
 * The row that this very thread writes to, or 0: a plain `Worker` that a worker made shares its row,
 * but writes none of its words, and may end before it.
 */
export function writtenRow(): number {
  return getEnvironmentData(rowThreadKey) === threadId ? ownRow() : 0
}

/**
 * Claims a free row for a worker that is about to be made below `parent`, and numbers it. Whether the
 * limits allow it is for `limits.ts` to say.
 *
 * @throws UserWorkerError EAGAIN when all rows are taken
 */
export function claim(words: Words, parent: number): number {
  const row = claimRow(words, parent)
  number(words, row)
  return row
}

/**
 * Claims a free row for an owner that is no thread.
 *
 * @throws UserWorkerError EAGAIN when all rows are taken
 */
export function claimOwner(words: Words, parent: number): number {
  const row = claimRow(words, parent)
  memory.store(words, at(row, Field.CONTROL), State.OWNER)
  memory.store(words, at(row, Field.OWNER_NUMBER), memory.add(words, lastOwner, 1) + 1)
  return row
}

/** The number of the owner that a row belongs to, given to no other; 0 where it is none. */
export function ownerNumber(words: Words, row: number): number {
  return isWorker(words, row) ? 0 : memory.load(words, at(row, Field.OWNER_NUMBER))
}

function claimRow(words: Words, parent: number): number {
  for (let row = 1; row < rows; row++) {
    if (isClaimed(words, row)) continue
    // Before the claim: a thread that is terminated right after it leaves a row that walkers see.
    raise(words, at(0, Header.HIGHEST_ROW), row)
    if (!memory.replace(words, at(row, Field.PARENT), 0, parent + 1)) continue
    memory.store(words, at(row, Field.MAKER), threadId)
    return row
  }
  throw new UserWorkerError(
    'EAGAIN',
    `This process has ${rows - 1} workers and owners already, and no more fit`,
  )
}

/** Gives a row a new number: at its claim, and when a spare becomes a worker. */
export function number(words: Words, row: number): void {
  memory.store(words, at(row, Field.ID), memory.add(words, at(0, Header.LAST_ID), 1) + 1)
}

/** Whether a row belongs to a worker. */
export function isClaimed(words: Words, row: number): boolean {
  return memory.load(words, at(row, Field.PARENT)) !== 0
}

/** The row that a row is below: 0 for what the main thread made. */
export function parentOf(words: Words, row: number): number {
  return memory.load(words, at(row, Field.PARENT)) - 1
}

/** Gives a worker another parent: a spare goes to the owner it was adopted for. */
export function rehome(words: Words, row: number, parent: number): void {
  memory.store(words, at(row, Field.PARENT), parent + 1)
}

/** The rows of all workers below a row. */
export function workersBelow(words: Words, row: number): number[] {
  return below(words, row).filter((each) => isWorker(words, each))
}

/** Whether a row belongs to a worker, and not to an owner that is no thread. */
export function isWorker(words: Words, row: number): boolean {
  return stateOf(memory.load(words, at(row, Field.CONTROL))) !== State.OWNER
}

/** A row and those above it, up to row 0. */
export function lineOf(words: Words, row: number): number[] {
  const line = [row]
  // A row that is freed meanwhile has no parent any more.
  for (let each = row; each > 0;) {
    each = parentOf(words, each)
    if (each < 0) break
    line.push(each)
  }
  return line
}

/** The rows of all workers, ascending. */
export function workerRows(words: Words): number[] {
  return claimedRows(words).filter((row) => isWorker(words, row))
}

/** All rows below a row. */
export function below(words: Words, row: number): number[] {
  return claimedRows(words).filter((each) => each !== row && lineOf(words, each).includes(row))
}

/** All claimed rows, ascending. */
export function claimedRows(words: Words): number[] {
  const highest = memory.load(words, at(0, Header.HIGHEST_ROW))
  const claimed: number[] = []
  for (let row = 1; row <= highest; row++) if (isClaimed(words, row)) claimed.push(row)
  return claimed
}

/**
 * Frees a row and those of all workers below it.
 *
 * Only to be called at the real 'exit' event of the row's thread. Node ends the threads that a
 * thread made before it reports that thread's exit (measured), so nobody below writes any more; and
 * since they get no 'exit' event of their own, nobody else frees them.
 */
export function releaseTree(words: Words, row: number): void {
  for (const child of claimedRows(words)) {
    if (parentOf(words, child) === row) releaseTree(words, child)
  }
  // PARENT last: as long as it stands, the row is nobody else's, and freeing it can be begun again.
  for (let field = rowWords - 1; field > Field.PARENT; field--)
    memory.store(words, at(row, field), 0)
  memory.store(words, at(row, Field.PARENT), 0)
}

/** Raises a word to a value unless it is that high already. */
function raise(words: Words, index: number, value: number): void {
  for (;;) {
    const now = memory.load(words, index)
    if (now >= value || memory.replace(words, index, now, value)) return
  }
}
