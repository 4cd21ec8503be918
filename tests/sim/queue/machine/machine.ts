/**
 * The simulated machine: threads that take turns, one clock, and what goes wrong, all by one seed.
 *
 * One thread runs at a time. Where it waits at a word, or at a step that chance chooses, others run on top
 * of its stack: so they interleave at single steps at shared memory, and who is further down goes on
 * when those above him are done.
 *
 * @module
 */
import { built } from '../../built.js'
import type { Call } from './loop.js'
import { giveRealm } from './realm.js'
import { ended, type Thread } from './thread.js'

const { seeded } = await built<typeof import('../../../../src/os/random.js')>('os/random.js')

/** How this machine is, by its seed. */
export interface Nature {
  /** Another thread comes in between once in so many steps; Infinity: never. */
  readonly interruptEvery: number
  /** A thread stands still for long once in so many calls. */
  readonly standEvery: number
  /** The clock jumps once in so many calls. */
  readonly jumpEvery: number
  /** Of a hundred threads so many die at one of their steps. */
  readonly deathsPercent: number
  /** Of a hundred threads so many are refused. */
  readonly refusalsPercent: number
  readonly cpus: number
}

/** What hears of what happens. */
export interface Witness {
  fault(kind: string): void
  tell(line: () => string): void
  /** Nothing of the thread can run any more; its maker has not heard of it. */
  gone(thread: Thread): void
  /** Its maker hears of it now. */
  heard(thread: Thread): void
}

/** Deeper than this nobody comes in between. */
const deepest = 6
/** Being below others for longer than this, in milliseconds, is a standstill. */
const longHoldMs = 1000
/** Who is below others for so long, in milliseconds, never goes on. */
const forGoodMs = 600_000
/** A thread is below others for longer than this, in milliseconds, only while one of them cannot end. */
const longestHoldMs = 20_000
/** A run that takes more calls than this has no end. */
const mostCalls = 400_000

export class Machine {
  /** The clock, in milliseconds. */
  now = 1000
  calls = 0
  /** Why nothing runs any more. */
  halted: string | null = null
  /** Whether anybody may come in between steps of the program's own thread. */
  isProgramInterruptible = true
  /** Whether things go wrong. */
  isTroubled = true
  readonly threads: Thread[] = []
  readonly below: (limit: number) => number
  digest = 0
  /** Whether a thread would never have gone on, when all was halted. */
  wasHeldForGood = false
  #wasHeldUp = false
  readonly #stack: Thread[] = []
  readonly #waits: { words: object; index: number; woken: boolean }[] = []
  #untilInterrupt: number

  constructor(
    seed: number,
    readonly nature: Nature,
    readonly witness: Witness,
  ) {
    this.below = seeded(seed)
    this.#untilInterrupt = this.#interval()
  }

  /** True once in so many times. */
  once(times: number): boolean {
    return times < Infinity && this.below(times) === 0
  }

  /** A thread is at a step. Whatever comes in between does so here. */
  step(thread: Thread): void {
    if (thread.isObserved) return
    thread.check()
    if (this.halted !== null) throw ended
    if (++thread.steps >= thread.diesAt) {
      this.witness.fault('a thread dies at a step')
      thread.die(1)
    } else if (this.now >= thread.terminatedAt) thread.die(1)
    thread.check()
    this.now += 0.0005
    if (--this.#untilInterrupt > 0) return
    this.#untilInterrupt = this.#interval()
    if (this.#stack.length >= deepest) return
    if (!this.isProgramInterruptible && this.#stack.some(({ maker }) => maker === null)) return
    const before = this.now
    this.#interrupt(thread)
    if (this.now - before > longHoldMs) this.#wasHeldUp = true
    thread.check()
  }

  /** As `Atomics.wait`, where the word has the value that was expected. */
  wait(thread: Thread, words: object, index: number, timeoutMs: number): 'ok' | 'timed-out' {
    const until = this.now + timeoutMs
    const wait = { words, index, woken: false }
    this.#waits.push(wait)
    while (!wait.woken && this.now < until && thread.state === 'running' && this.halted === null) {
      if (this.now >= thread.terminatedAt) thread.die(1)
      else if (until < Infinity && this.#hasAbove((each) => each !== thread, longestHoldMs))
        // Who is below goes on only when this one is done.
        this.now = until
      else if (!this.turn(Math.min(until, thread.terminatedAt)))
        this.halt('Nobody will wake a thread')
    }
    this.#waits.splice(this.#waits.indexOf(wait), 1)
    if (this.now - until > longHoldMs) this.#wasHeldUp = true
    thread.goesOnSince = this.now
    this.step(thread)
    return wait.woken ? 'ok' : 'timed-out'
  }

  notify(words: object, index: number): void {
    for (const wait of this.#waits)
      if (wait.words === words && wait.index === index) wait.woken = true
  }

  /** Whether a thread was held up so that it may miss a deadline, or is. */
  get holdsUp(): boolean {
    return this.#wasHeldUp || this.#hasAbove(isMade, longHoldMs)
  }

  /** Whether one of these threads has had others above it for longer than this, in milliseconds. */
  #hasAbove(isMeant: (thread: Thread) => boolean, ms: number): boolean {
    return this.#stack.some((each) => isMeant(each) && this.now - each.goesOnSince > ms)
  }

  halt(why: string): void {
    this.wasHeldForGood ||= this.halted === null && this.#hasAbove(isMade, forGoodMs)
    this.halted ??= why
  }

  /**
   * Lets one thread do one thing; or, where none can now, the time pass until one can.
   *
   * @param until - who else waits for a time
   * @returns false: nothing will ever happen
   */
  turn(until = Infinity): boolean {
    if (++this.calls > mostCalls) this.halt('It goes on and on')
    if (this.halted !== null) return false
    const able: Thread[] = []
    let next = until
    for (const thread of this.threads) {
      if (this.#stack.includes(thread) || thread.state === 'gone') continue
      const at = Math.max(thread.standsUntil, Math.min(thread.loop.next, thread.terminatedAt))
      if (at <= this.now) able.push(thread)
      else next = Math.min(next, at)
    }
    const chosen = able[this.below(able.length)]
    if (chosen === undefined) {
      if (next === Infinity) return false
      this.now = Math.max(this.now, next)
      return true
    }
    this.#passTime(chosen)
    if (chosen.standsUntil <= this.now) this.#letRun(chosen)
    return true
  }

  /** Runs a call in a thread, and whatever comes in between. */
  run(thread: Thread, call: Call): void {
    thread.goesOnSince = this.now
    this.#stack.push(thread)
    const result = thread.realm.call(call.run, call.resource)
    this.#stack.pop()
    if (thread.state === 'running' && result !== null && result.thrown !== ended) {
      this.#uncaught(thread, result.thrown)
    }
    if (thread.state === 'dying') this.#bury(thread)
  }

  /** Gives back what a thread has had, once nothing of it can run. */
  giveBack({ realm, stores }: Thread): void {
    for (const store of stores) store.disable()
    giveRealm(realm)
  }

  #letRun(thread: Thread): void {
    if (this.now >= thread.terminatedAt) {
      thread.die(1)
      return this.#bury(thread)
    }
    const call = thread.loop.take(this.now, this.below)
    this.digest = (Math.imul(this.digest, 31) + thread.id * 8191 + thread.steps) | 0
    if (call !== null) this.run(thread, call)
  }

  #interrupt(thread: Thread): void {
    for (let turns = 1 + this.below(4); turns > 0 && thread.state === 'running'; turns--)
      this.turn()
  }

  #interval(): number {
    const { interruptEvery } = this.nature
    return interruptEvery === Infinity ? Infinity : 1 + this.below(2 * interruptEvery)
  }

  /** What comes in between a call and the next one of a thread. */
  #passTime(thread: Thread): void {
    this.now += this.once(100) ? this.below(20) : this.below(200) / 1000
    if (!this.isTroubled) return
    if (this.once(this.nature.jumpEvery)) {
      this.witness.fault('the clock jumps')
      this.now += 1000 + this.below(60_000)
    }
    if (!this.once(this.nature.standEvery)) return
    this.witness.fault(thread.maker === null ? 'the program stands' : 'a thread stands')
    thread.standsUntil = this.now + 10 ** (1 + this.below(2500) / 1000)
    this.witness.tell(() => `thread ${thread.name} stands until ${thread.standsUntil.toFixed(1)}`)
  }

  #uncaught(thread: Thread, thrown: unknown): void {
    if (thread.maker === null) return this.halt(`Uncaught in the program: ${messageOf(thrown)}`)
    const monitor = { run: () => void thread.process.emit('uncaughtExceptionMonitor', thrown) }
    thread.realm.call(monitor.run)
    thread.realm.call(() => void thread.process.emit('exit', 1))
    thread.die(1, thrown)
  }

  #bury(thread: Thread): void {
    if (this.#stack.includes(thread)) return
    thread.state = 'gone'
    this.threads.splice(this.threads.indexOf(thread), 1)
    this.witness.tell(() => `thread ${thread.name} is gone, code ${thread.exitCode}`)
    this.witness.gone(thread)
    thread.onGone()
    this.giveBack(thread)
  }
}

/** Whether another thread has made it: the program's own may wait for all others. */
function isMade({ maker }: Thread): boolean {
  return maker !== null
}

function messageOf(thrown: unknown): string {
  const { stack } = (thrown ?? {}) as { stack?: unknown }
  return typeof stack === 'string' ? stack : String(thrown)
}
