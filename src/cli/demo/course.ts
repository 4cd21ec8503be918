/**
 * The course of the demo: walk, sums, four rounds with their checks, verdict.
 *
 * @module
 */
import { Findings, Refusal, type NamedList } from './findings.js'
import { Output, roomFor, type Place } from './output.js'
import { shown, type BytePath } from './path.js'
import { pack } from './parcel.js'
import { runPlain } from './plain.js'
import { Round } from './round.js'
import { checkPressed, sumAll } from './sums.js'
import { PressQueue } from './threads.js'
import type { Entry, Tree } from './tree.js'
import { byFolder, checkManifests } from './verify.js'
import type { View } from './view.js'
import { walk } from './walk.js'

/** What the user asked for. */
export interface Wish {
  readonly source: BytePath
  /** An absolute path, or null. */
  readonly place: Place
  readonly workers: number
}

type Way = 'workers' | 'plain'

/** Each way twice, in turn, so that neither has the warmer machine. */
const ways: readonly Way[] = ['workers', 'plain', 'workers', 'plain']
/** The last run on workers: its output can be kept. */
const keptRound = ways.lastIndexOf('workers')

/**
 * Up to this much of each round's output stays until the end: some file systems make new files more
 * slowly while they are busy with removed ones, and the next round would be measured with that.
 */
const leftBytes = 2 ** 30

export class Course {
  readonly #wish: Wish
  readonly #view: View
  readonly #signal: AbortSignal
  readonly #findings = new Findings()
  readonly #times: Record<Way, number[]> = { workers: [], plain: [] }
  #output: Output | null = null

  constructor(wish: Wish, view: View, signal: AbortSignal) {
    this.#wish = wish
    this.#view = view
    this.#signal = signal
  }

  /** The output, once there is any. */
  get output(): Output | null {
    return this.#output
  }

  /**
   * Runs the demo to its end. Output that is not kept is removed, whatever happens.
   *
   * @returns the exit code
   * @throws Interrupted, the reason of the signal
   * @throws Refusal when there is nothing to do
   * @throws Error of the system when the output cannot be written
   */
  async run(): Promise<number> {
    try {
      const files = await this.#sum(await this.#walk())
      return await this.#pressAll(files)
    } finally {
      this.#view.end()
      await this.#output?.removeAll()
    }
  }

  async #walk(): Promise<Tree> {
    const { source, place } = this.#wish
    this.#view.say(`walking ${shown(source)}`)
    const tree = await walk(source, roomFor(place), this.#findings.unreadable, this.#signal)
    const total = megabytes(tree.files.reduce((sum, { size }) => sum + size, 0))
    this.#view.say(
      `files: ${tree.files.length}, ${total}; folders: ${tree.folders}; ` +
        `links, sockets, pipes and devices, all skipped: ${tree.skipped}`,
    )
    return tree
  }

  async #sum(tree: Tree): Promise<Entry[]> {
    const { source } = this.#wish
    this.#view.begin({ title: 'sums, without the library', files: tree.files })
    const done = (entry: Entry): void => this.#view.advance(entry)
    const files = await sumAll(source, tree.files, this.#findings, this.#signal, done)
    this.#view.end()
    this.#name('cannot be read, left out', this.#findings.unreadable)
    if (files.length === 0) throw new Refusal(`there is no file to press in ${shown(source)}`, 2)
    return files
  }

  async #pressAll(files: readonly Entry[]): Promise<number> {
    const { place, workers } = this.#wish
    const output = (this.#output = new Output(place))
    let kept: BytePath | null = null
    for (const [index, way] of ways.entries()) {
      const root = output.round(index + 1)
      const pressedBytes = await this.#round(index, way, root, files)
      if (index === keptRound && place !== null) kept = root
      else if (pressedBytes > leftBytes) await output.remove(root)
    }
    this.#signal.throwIfAborted()
    this.#view.say('removing what is not to be kept')
    if (kept !== null && place !== null) await output.keep(kept, place)
    await output.removeAll()
    return this.#verdict(files.length, workers)
  }

  /** @returns how many bytes its output takes */
  async #round(index: number, way: Way, root: BytePath, files: readonly Entry[]): Promise<number> {
    const { source, workers } = this.#wish
    const view = this.#view
    const name = `round ${index + 1} of ${ways.length}`
    const by = way === 'plain' ? 'the main thread alone' : namely(workers)
    const done = (entry: Entry): void => view.advance(entry)
    const round = new Round(name, source, root, this.#findings, this.#signal, done)
    const title = `${name}, ${by}`
    const parcels = pack(files)
    let ms: number
    if (way === 'workers') {
      const queue = new PressQueue(workers)
      view.begin({ title, files, workers: () => queue.workers() })
      ms = await queue.run(parcels, round)
    } else {
      view.begin({ title, files })
      ms = await runPlain(parcels, round)
    }
    view.end()
    this.#times[way].push(ms)
    view.say(`${title}: ${seconds(ms)}, pressed to ${megabytes(round.pressedBytes)}`)
    await this.#check(round, files, way)
    return round.pressedBytes
  }

  async #check(round: Round, files: readonly Entry[], way: Way): Promise<void> {
    const view = this.#view
    await checkManifests(byFolder(files), round)
    if (way === 'workers') {
      view.begin({ title: `${round.name}, unpacking and comparing`, files })
      await checkPressed(files, round, round.done)
      view.end()
    }
    const what = way === 'workers' ? 'sums, manifests and pressed files' : 'sums and manifests'
    view.say(`${round.name}, ${what} compared; mismatches: ${round.mismatches}`)
  }

  #verdict(files: number, workers: number): number {
    const view = this.#view
    const { changed, mismatches } = this.#findings
    const ms = { workers: median(this.#times.workers), plain: median(this.#times.plain) }
    const { place } = this.#wish
    if (place !== null) view.say(`kept: the output of round ${keptRound + 1} in ${place}`)
    const alone = `${seconds(ms.plain)} on the main thread alone`
    view.say(`medians: ${seconds(ms.workers)} with ${namely(workers)}, ${alone}`)
    this.#name('changed by others meanwhile, not compared', changed)
    this.#name('mismatches', mismatches)
    const isOk = mismatches.count === 0
    const speedup = (ms.plain / ms.workers).toFixed(2)
    const counts = `files=${files} mismatches=${mismatches.count}`
    const result = isOk ? 'ok' : 'failed'
    view.say(`demo: ${result} ${counts} workers=${workers} speedup=${speedup}`)
    return isOk ? 0 : 1
  }

  #name(what: string, list: NamedList): void {
    if (list.count > 0) this.#view.say(`${what}: ${list.count}`, ...list.lines())
  }
}

/** @param values - at least one */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = (sorted.length - 1) / 2
  const [low = NaN, high = NaN] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]]
  return (low + high) / 2
}

const namely = (workers: number): string => (workers === 1 ? '1 worker' : `${workers} workers`)
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`
