/**
 * One run over all files: what the run on workers and the run on the main thread have in common.
 *
 * @module
 */
import type { Findings } from './findings.js'
import { manifestPath, pressedPath } from './layout.js'
import { manifestLine, manifestName } from './manifest.js'
import { joined, shown, type BytePath } from './path.js'
import type { Order, Pressed, Target } from './pressing.js'
import { isSame } from './source.js'
import { pathOf, type Entry, type Folder } from './tree.js'

/** A run, and what it found. */
export class Round {
  /** How many bytes the files take, pressed. */
  pressedBytes = 0
  /** Files and folders named as mismatches of this round: each counts once. */
  readonly #named = new Set<Entry | Folder>()

  constructor(
    readonly name: string,
    readonly source: BytePath,
    /** Where its output goes. */
    readonly root: BytePath,
    readonly findings: Findings,
    readonly signal: AbortSignal,
    /** Called for each file that is done. */
    readonly done: (entry: Entry) => void,
  ) {}

  get mismatches(): number {
    return this.#named.size
  }

  /** What is to be done with a file. */
  orderFor(entry: Entry): Order {
    return {
      source: joined(this.source, pathOf(entry)),
      target: { root: this.root, path: pressedPath(entry) },
    }
  }

  manifestOf(folder: Folder): Target {
    return { root: this.root, path: manifestPath(folder) }
  }

  /** Takes what came of a file. @returns the line for its manifest, or nothing */
  take(entry: Entry, pressed: Pressed): string {
    if ('unreadable' in pressed) {
      this.findings.change(entry, pressed.unreadable)
      return ''
    }
    this.pressedBytes += pressed.pressedBytes
    if (!isSame(entry, pressed.version)) this.findings.change(entry, 'another size or time')
    else if (pressed.sum !== entry.sum) this.mismatch(entry, 'its sum is another')
    return manifestLine(pressed.sum, entry.name)
  }

  /** Names a file whose output is wrong. */
  mismatch(entry: Entry, how: string): void {
    if (!entry.changed) this.#name(entry, pathOf(entry), how)
  }

  /** Names a folder whose manifest holds what it should not. */
  mismatchIn(folder: Folder, how: string): void {
    this.#name(folder, joined(folder.path, manifestName), how)
  }

  #name(what: Entry | Folder, path: BytePath, how: string): void {
    if (this.#named.has(what)) return
    this.#named.add(what)
    this.findings.mismatches.add(`${this.name}: ${shown(path)}: ${how}`)
  }
}
