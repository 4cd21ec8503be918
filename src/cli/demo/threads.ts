/**
 * The run on the workers of a `WorkQueue`: two works for each file, one that presses it, and one
 * with the manifest as its key that adds its line there.
 *
 * @module
 */
import { WorkQueue, type Work, type WorkerInfo } from '../../index.js'
import { now } from '../../os/clock.js'
import { Interrupted } from './interrupt.js'
import { inLanes } from './lanes.js'
import { shown, type BytePath } from './path.js'
import type { Parcel } from './parcel.js'
import type { Round } from './round.js'
import { pathOf } from './tree.js'

type Press = typeof import('./press.js')

/**
 * So many parcels are under way for each worker: none waits for us, and no more are held in memory.
 */
const parcelsPerWorker = 4

/** What a work is about: a file, and how many others with it. */
interface Subject {
  readonly path: BytePath
  readonly others: number
}

/** A worker, as the screen shows it. */
export interface BusyWorker extends WorkerInfo {
  /** What its work is about, for people. */
  readonly subject: string
}

/** The queue of one round. */
export class PressQueue {
  readonly #queue: WorkQueue<Press>
  readonly #lanes: number
  /** What the works under way are about, by their number. */
  readonly #subjects = new Map<number, Subject>()

  constructor(workers: number) {
    this.#lanes = workers * parcelsPerWorker
    this.#queue = new WorkQueue(new URL('./press.js', import.meta.url), {
      name: 'press',
      maxWorkers: { bounded: workers },
    })
  }

  /**
   * Runs the round. However it ends, no work and no worker is left then.
   *
   * @returns how long it took from the first work to the last line, in milliseconds
   */
  async run(parcels: readonly Parcel[], round: Round): Promise<number> {
    const began = now()
    const { signal } = round
    const stop = (): void => this.#interrupt(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    try {
      signal.throwIfAborted()
      const press = (parcel: Parcel): Promise<void> => this.#press(parcel, round)
      await inLanes(this.#lanes, parcels, press, () => this.#cancelAll())
      return now() - began
    } catch (error) {
      signal.throwIfAborted() // then what failed is a work that was cancelled
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
      await this.#queue.close()
    }
  }

  /** The queue's workers, as they are now. */
  workers(): BusyWorker[] {
    return this.#queue.workers().map((worker) => {
      const subject = worker.work && this.#subjects.get(worker.work.id)
      return Object.assign(worker, { subject: subject ? textOf(subject) : '' })
    })
  }

  async #press({ folder, files }: Parcel, round: Round): Promise<void> {
    const [first] = files
    if (first === undefined) return
    const orders = files.map((entry) => round.orderFor(entry))
    const pressing = this.#queue.enqueue('press', [orders])
    const subject = { path: pathOf(first), others: files.length - 1 }
    const pressed = await this.#about(subject, pressing)
    let lines = ''
    for (const [index, entry] of files.entries()) {
      const result = pressed[index]
      if (result !== undefined) lines += round.take(entry, result)
    }
    if (lines !== '') {
      const manifest = round.manifestOf(folder)
      const recording = this.#queue.enqueue('record', [manifest, lines], { key: manifest.path })
      await this.#about(subject, recording)
    }
    for (const entry of files) round.done(entry)
  }

  async #about<Result>(subject: Subject, work: Work<Result>): Promise<Result> {
    this.#subjects.set(work.id, subject)
    try {
      return await work.result
    } finally {
      this.#subjects.delete(work.id)
    }
  }

  #interrupt(reason: unknown): void {
    const { canceled, running } = this.#cancelAll()
    if (reason instanceof Interrupted)
      reason.works = `${canceled} pending works cancelled, ${running} running ones told to stop`
  }

  #cancelAll(): { canceled: number; running: number } {
    return this.#queue.cancel(() => true, { all: true })
  }
}

function textOf({ path, others }: Subject): string {
  return others === 0 ? shown(path) : `${shown(path)} and ${others} more`
}
