/**
 * One seed of the simulated queue, from its nature to its outcome.
 *
 * @module
 */
import { EventEmitter } from 'node:events'
import { built } from '../built.js'
import type { Outcome } from '../world.js'
import type { Body, Sides } from './bundle.js'
import type { Simulated, SimulatedProgram, SimulatedThread } from './inside/simulated.js'
import { Ledger } from './ledger.js'
import { atomicsOf, type Watch } from './machine/atomics.js'
import { callOf } from './machine/loop.js'
import { Machine, type Nature } from './machine/machine.js'
import { processOf, requireOf, type Maker } from './machine/node.js'
import { takeRealm } from './machine/realm.js'
import { ended, Thread } from './machine/thread.js'

const { seeded } = await built<typeof import('../../../src/os/random.js')>('os/random.js')

/** After the program's end nothing takes longer than this, in milliseconds. */
const restMs = 300_000
/** Nothing that the program waits for takes longer. */
const patienceMs = 3_600_000

/** The edges that a change of a shared word is. */
type EdgesOf = (...change: Parameters<Watch>) => string[]

/** That of the handler that ends its thread. */
const leavingCode = 7

/** How the machine of a seed is. */
function natureOf(seed: number): Nature {
  const below = seeded(seed ^ 0x5eed)
  const among = (...choices: readonly number[]): number => choices[below(choices.length)] as number
  return {
    interruptEvery: among(3, 10, 40, 200, Infinity),
    standEvery: among(300, 2000, Infinity),
    jumpEvery: among(3000, Infinity, Infinity),
    deathsPercent: among(0, 0, 15, 40),
    refusalsPercent: among(0, 0, 10, 40),
    cpus: among(1, 4),
  }
}

export class Simulation {
  readonly #sides: Sides
  readonly #machine: Machine
  readonly #ledger = new Ledger()
  readonly #faults = new Map<string, number>()
  readonly #nature: Nature
  readonly #program: Thread
  /** As soon as the library is there. */
  #edgesOf: EdgesOf = () => []
  #operations = 0
  #lastThread = -1

  #isVoid = false

  constructor(seed: number, sides: Sides, tell?: (line: string) => void) {
    this.#sides = sides
    this.#nature = natureOf(seed)
    this.#machine = new Machine(seed, this.#nature, {
      fault: (kind) => this.#fault(kind),
      tell: (line) => this.#ledger.tell(line),
      gone: ({ name }) => this.#ledger.gone(name),
      heard: (thread) => this.#heard(thread),
    })
    this.#ledger.now = () => this.#machine.now
    this.#ledger.isHeldUp = () => this.#machine.holdsUp
    this.#ledger.isDying = (name) => {
      const thread = this.#machine.threads.find((each) => each.name === name)
      return thread !== undefined && thread.terminatedAt <= this.#machine.now
    }
    if (tell !== undefined) {
      this.#ledger.tell = (line) => tell(`${this.#machine.now.toFixed(3)} ${line()}`)
    }
    this.#ledger.tell(() => JSON.stringify(this.#nature))
    this.#program = this.#makeThread('program', null, new Map())
  }

  /** Runs the seed to its end. */
  run(): Outcome {
    const machine = this.#machine
    const end = { isOver: false }
    let open = (): string[] => []
    let leftovers = (): string[] => []
    this.#program.state = 'running'
    machine.run(
      this.#program,
      callOf(() => {
        const side = this.#evaluate(this.#program, undefined)
        this.#edgesOf = side['edgesOf'] as EdgesOf
        open = (side['start'] as (done: () => void) => () => string[])(() => {
          end.isOver = true
        })
        leftovers = side['leftovers'] as () => string[]
      }),
    )
    let until = machine.now + patienceMs
    for (let before = machine.now; !end.isOver && before < until && machine.turn();) {
      // A turn that took long held up everybody else: their time begins when it is over.
      if (machine.now - before > restMs) until += machine.now - before
      before = machine.now
    }
    if (end.isOver) this.#rest(leftovers)
    else this.#hang(open)
    if (machine.halted === null) machine.giveBack(this.#program)
    return this.#outcome()
  }

  /** Nothing may be left once nothing more happens. */
  #rest(leftovers: () => string[]): void {
    const machine = this.#machine
    const until = machine.now + restMs
    while (machine.now < until && machine.turn(until));
    const ledger = this.#ledger
    const { timers } = this.#program.loop
    if (timers > 0) ledger.diverge(`${timers} timers go on for ever`)
    for (const { name, maker } of machine.threads) {
      if (maker !== null) ledger.diverge(`the thread ${name} is still there`)
    }
    this.#program.isObserved = true
    for (const each of leftovers()) ledger.diverge(`at the end there is still ${each}`)
    for (const { id, outcome } of ledger.entries) {
      if (outcome === null) ledger.diverge(`work ${id} is not settled at the end`)
    }
  }

  #hang(open: () => string[]): void {
    if (this.#machine.wasHeldForGood) {
      this.#isVoid = true
      return
    }
    const works = this.#ledger.entries.filter(({ outcome }) => outcome === null)
    const waited = works.slice(0, 5).map(({ id, name, queue }) => `work ${id} (${queue} ${name})`)
    const why = this.#machine.halted ?? 'Nothing goes on'
    this.#ledger.diverge(`${why}, and there wait: ${[...open(), ...waited].join(', ')}`)
  }

  #outcome(): Outcome {
    const { divergences, edges } = this.#ledger
    const digest = `${(this.#machine.digest >>> 0).toString(16)}-${this.#machine.calls}`
    const isVoid = this.#isVoid
    return {
      operations: this.#operations,
      faults: this.#faults,
      edges,
      divergences,
      isVoid,
      digest,
    }
  }

  #fault(kind: string): void {
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1)
    const isStandstill = kind.endsWith('stands') || kind.endsWith('jumps')
    if (isStandstill) for (const facts of this.#ledger.queues.values()) facts.standstills++
  }

  /** A death, and not an end. */
  #heard({ hasLeft, exitCode }: Thread): void {
    if (hasLeft && exitCode !== leavingCode) return
    for (const facts of this.#ledger.queues.values()) facts.deaths++
  }

  #makeThread(name: string, maker: Thread | null, data: Map<unknown, unknown>): Thread {
    const id = ++this.#lastThread
    const realm = takeRealm()
    const events = new EventEmitter({ captureRejections: false })
    const thread = new Thread(id, `${name}#${id}`, realm, maker, data, events)
    this.#machine.threads.push(thread)
    return thread
  }

  readonly #maker: Maker = {
    refusal: () => this.#refusal(),
    make: (name, maker, data) => {
      const thread = this.#makeThread(name, maker, data)
      const excess = this.#ledger.peek?.excess(name) ?? null
      if (excess !== null) this.#ledger.diverge(`${name} is made, and ${excess}`)
      const { below, isTroubled } = this.#machine
      if (isTroubled && below(100) < this.#nature.deathsPercent) {
        thread.diesAt = 1 + Math.floor(10 ** (below(3500) / 1000))
      }
      this.#ledger.tell(() => `thread ${thread.name} is made, dies at ${thread.diesAt}`)
      return thread
    },
    begin: (thread, workerData) => void this.#evaluate(thread, workerData),
  }

  #refusal(): ReturnType<Maker['refusal']> {
    const { below, isTroubled } = this.#machine
    if (!isTroubled || below(100) >= this.#nature.refusalsPercent) return null
    this.#fault('a thread is refused')
    for (const facts of this.#ledger.queues.values()) facts.refusals++
    const later = below(2) === 0
    return later
      ? { code: 'ERR_WORKER_INIT_FAILED', message: 'Worker initialization failure: EMFILE', later }
      : { code: 'ERR_WORKER_INIT_FAILED', message: 'Worker initialization failure: EAGAIN', later }
  }

  #evaluate(thread: Thread, workerData: unknown): Record<string, unknown> {
    const machine = this.#machine
    const script = thread.maker === null ? this.#sides.program : this.#sides.thread
    const body = thread.realm.evaluate(script) as Body
    const require = requireOf(machine, thread, workerData, this.#maker)
    const process = processOf(machine, thread, require)
    const atomics = atomicsOf(machine, thread, (...change) => {
      for (const edge of this.#edgesOf(...change)) this.#ledger.edges.add(edge)
    })
    const simulated = thread.maker === null ? this.#forProgram(thread) : this.#forThread(thread)
    return body(simulated, process, require, atomics)
  }

  #forAll({ name }: Thread): Simulated {
    return {
      name,
      ledger: this.#ledger,
      below: this.#machine.below,
      fault: (kind) => this.#fault(kind),
    }
  }

  #forProgram(thread: Thread): SimulatedProgram {
    const machine = this.#machine
    return {
      ...this.#forAll(thread),
      interruptible: (may) => {
        machine.isProgramInterruptible = may
      },
      calm: () => {
        machine.isTroubled = false
      },
      observe: (look) => {
        const before = thread.isObserved
        thread.isObserved = true
        try {
          return look()
        } finally {
          thread.isObserved = before
        }
      },
      operation: (text) => {
        this.#operations++
        this.#ledger.tell(() => `-- ${text()}`)
      },
      edge: (text) => this.#ledger.edges.add(text),
    }
  }

  #forThread(thread: Thread): SimulatedThread {
    const machine = this.#machine
    const ledger = this.#ledger
    let endedAt = 0
    const since = (): number => Math.max(endedAt, thread.goesOnSince)
    return {
      ...this.#forAll(thread),
      block: (ms) => void machine.wait(thread, thread, 0, ms),
      isUnfit: () => {
        if (!machine.isTroubled || machine.below(400) >= this.#nature.refusalsPercent) return false
        this.#fault('a module does not load')
        for (const facts of ledger.queues.values()) facts.loadFailures++
        return true
      },
      began: (id, store) => {
        if (thread.state !== 'running') throw ended
        ledger.began(id, thread.name, since(), store)
      },
      ended: (id, end) => {
        if (thread.state !== 'running') return
        endedAt = machine.now
        ledger.ended(id, end)
      },
    }
  }
}

/** A rejection that nobody heard, of a thread that has not died. */
export function isStray(error: unknown): boolean {
  return error !== ended
}
