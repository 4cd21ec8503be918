/**
 * A thread with the loop of a vhost worker: a batch, and, where it found nothing, a sleep. Each is a step
 * of the simulation; what it waits for in between is what others do.
 *
 * @module
 */
import { doorsOf } from './doors.js'
import type { Library } from './library.js'
import type { SimulatedProcess } from './process.js'
import { Gone, Life, SetThing } from './system.js'

/** Is thrown where a thread would block: it calls again when there is something. */
export const wouldBlock = new Error('It would block')

interface Birth {
  readonly events: number
}

/** What `loop` of the library is replaced by. */
export interface SimulatedLoop {
  readonly batch: (data: unknown) => boolean
  readonly sleep: () => void | Promise<void>
}

let lastId = 0

export class SimulatedThread {
  readonly id = ++lastId
  readonly name: string
  readonly life: Life
  exitCode: number | null = null
  library: Library | null = null
  /** Continues what waits for the next turn of its event loop. */
  turn: (() => void) | null = null
  readonly #process: SimulatedProcess
  readonly #birth: Birth
  readonly #ring: () => void
  readonly #exits: ((code: number, error: Error | null) => void)[] = []
  readonly #ended: (() => void)[] = []
  #loop: SimulatedLoop | null = null
  #phase: 'batch' | 'sleep' | 'waiting' = 'batch'
  #isBlocked = false
  #wakes = 0
  #heard = 0
  #seen = -1
  #isToStop = false

  constructor(
    process: SimulatedProcess,
    options: { readonly name: string; readonly data: unknown; readonly bell: () => void },
  ) {
    this.#process = process
    this.name = options.name
    this.#birth = options.data as Birth
    this.#ring = options.bell
    this.life = new Life(process.life)
    this.life.onEnd(() => this.#over(1, new Error('The thread was terminated')))
    process.threads.push(this)
  }

  get state(): string {
    return this.life.isOver ? 'exited' : 'running'
  }

  onExit(run: (code: number, error: Error | null) => void): void {
    this.#exits.push(run)
  }

  async start(): Promise<void> {
    this.library = this.#process.instantiate(doorsOf(this.#process, this.life, this))
    this.#loop = this.library.serveVrings('die') as unknown as SimulatedLoop
  }

  wake(): void {
    if (this.life.isOver) return
    this.#wakes++
    this.#ring()
  }

  requestStop(): void {
    this.#isToStop = true
    this.wake()
  }

  stop(): Promise<number> {
    return new Promise((resolve) => {
      if (this.life.isOver) resolve(this.exitCode ?? 1)
      else this.#ended.push(() => resolve(this.exitCode ?? 1))
      this.requestStop()
    })
  }

  get isRunnable(): boolean {
    if (this.life.isOver || this.#loop === null) return false
    if (this.turn !== null) return this.#seen !== this.#process.system.changes
    if (this.#phase === 'waiting') return false
    if (this.#phase === 'batch' || !this.#isBlocked) return true
    return this.#wakes !== this.#heard || this.#hasEvents()
  }

  step(): void {
    const { system } = this.#process
    system.running = this.life
    try {
      this.#step()
    } catch (error) {
      if (!(error instanceof Gone) && error !== wouldBlock) throw error
      this.#isBlocked = error === wouldBlock
    } finally {
      system.running = null
    }
  }

  #step(): void {
    const { turn } = this
    if (turn !== null) {
      this.turn = null
      this.#seen = this.#process.system.changes
      this.#process.system.hasLooked = true
      turn()
    } else if (this.#phase === 'batch') this.#batch()
    else this.#sleep()
  }

  #batch(): void {
    this.#heard = this.#wakes
    if (this.#isToStop) return this.#exit()
    const didWork = this.#loop?.batch(this.#birth) === true
    this.#phase = didWork ? 'batch' : 'sleep'
    this.#isBlocked = false
  }

  #sleep(): void {
    if (this.#wakes !== this.#heard) {
      this.#phase = 'batch'
      return
    }
    const slept = this.#loop?.sleep()
    this.#isBlocked = false
    this.#phase = slept === undefined ? 'batch' : 'waiting'
    void slept?.then(() => {
      this.#phase = 'batch'
    })
  }

  #hasEvents(): boolean {
    const set = this.#process.thing(this.#birth.events)
    return set instanceof SetThing && set.isReadable
  }

  #exit(): void {
    this.exitCode = 0
    this.#isToStop = false
    this.life.end()
  }

  #over(code: number, error: Error): void {
    const isClean = this.exitCode === 0
    this.exitCode ??= code
    this.#process.turns.push(() => {
      for (const run of this.#exits) run(this.exitCode ?? code, isClean ? null : error)
      for (const run of this.#ended) run()
    })
  }
}
