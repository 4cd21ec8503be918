/**
 * The folder that all output goes to, and its removal.
 *
 * @module
 */
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Refusal } from './findings.js'
import { manifestTree, pressedTree } from './layout.js'
import {
  bytePath,
  fsPath,
  isSystemError,
  isWithin,
  joined,
  reasonOf,
  shown,
  type BytePath,
} from './path.js'
import { printable } from '../terminal/index.js'
import { removeTree } from './removal.js'

/** A round's folder below the output's: `/userworker-demo-123456/round-1/files/`, and some more. */
const ownPathBytes = 64

/**
 * Where the output is to go: a folder that the user named, or, for null, one that is removed at the
 * end.
 */
export type Place = string | null

/** How many bytes the path of a round's files takes at most. */
export function roomFor(place: Place): number {
  return Buffer.byteLength(place ?? tmpdir()) + ownPathBytes
}

/**
 * Checks the place that the user named, before anything is made.
 *
 * @throws Refusal
 */
export function checkPlace(out: string, source: BytePath): void {
  const refuse = (why: string): never => {
    throw new Refusal(`--out ${printable(out)}: ${why}`, 2)
  }
  try {
    const there = nearestFolder(out)
    const rest = out.slice(there.length)
    const real = joined(bytePath(realpathSync.native(Buffer.from(there), 'buffer')), rest.slice(1))
    if (isWithin(real, source)) refuse('it lies inside the folder that is to be pressed')
    if (rest === '' && readdirSync(out).length > 0) refuse('it is there and not empty')
    accessSync(there, constants.W_OK | constants.X_OK)
  } catch (error) {
    if (!isSystemError(error)) throw error
    refuse(reasonOf(error))
  }
}

/** The path itself, or the nearest one above that is there. */
function nearestFolder(path: string): string {
  let there = path
  while (lstatSync(there, { throwIfNoEntry: false }) === undefined) there = dirname(there)
  return there
}

/** The output of one call of the demo. */
export class Output {
  /** Everything is made in here, and only what is to be kept leaves it. */
  readonly #scratch: BytePath
  /** The folders that were made so that `place` is there, the deepest first. */
  readonly #made: string[] = []
  #isThere = true

  /** @throws Error of the system */
  constructor(place: Place) {
    try {
      if (place !== null) this.#makePlace(place)
      this.#scratch = bytePath(mkdtempSync(join(place ?? tmpdir(), 'userworker-demo-')))
    } catch (error) {
      this.#removeMade()
      throw error
    }
  }

  /** Makes the folder of a round. */
  round(number: number): BytePath {
    const root = joined(this.#scratch, `round-${number}`)
    for (const folder of ['', pressedTree, manifestTree]) mkdirSync(fsPath(joined(root, folder)))
    return root
  }

  async remove(root: BytePath): Promise<void> {
    await removeTree(root)
  }

  /** Moves a round's output to the place that the user named, which stays. */
  async keep(root: BytePath, place: string): Promise<void> {
    for (const tree of [pressedTree, manifestTree])
      await rename(fsPath(joined(root, tree)), join(place, tree))
    this.#made.length = 0
  }

  async removeAll(): Promise<void> {
    await removeTree(this.#scratch)
    this.#isThere = false
    this.#removeMade()
  }

  /**
   * Removes everything before it returns, when the process ends with no time left. Workers may
   * still write: so the folder gets another name first, under which they make nothing new.
   */
  removeNow(): void {
    if (!this.#isThere) return
    this.#isThere = false
    try {
      const gone = Buffer.concat([fsPath(this.#scratch), Buffer.from('.removed')])
      renameSync(fsPath(this.#scratch), gone)
      rmSync(gone, { recursive: true, force: true, maxRetries: 3 })
      this.#removeMade()
    } catch (error) {
      process.stderr.write(`userworker: output is left behind: ${printable(String(error))}\n`)
    }
  }

  /** Gives up on removing: says what is left behind. */
  abandon(): string | null {
    if (!this.#isThere) return null
    this.#isThere = false
    return shown(this.#scratch)
  }

  #makePlace(place: string): void {
    const path = resolve(place)
    for (let folder = path; !existsSync(folder); folder = dirname(folder)) this.#made.push(folder)
    mkdirSync(path, { recursive: true })
  }

  #removeMade(): void {
    try {
      for (const folder of this.#made.splice(0)) rmdirSync(folder)
    } catch (error) {
      // Somebody else has put something there, or was quicker.
      if (!isSystemError(error)) throw error
    }
  }
}
