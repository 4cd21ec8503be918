/**
 * What happens in a seed: how the frontend sets the device up, and the operations that chance picks.
 *
 * @module
 */
import { Messages } from './messages.js'
import type { GuestQueue } from './guest.js'
import { describedRequest } from './requests.js'
import type { Simulation } from './simulation.js'
import { SocketThing } from './system.js'

/** An operation, and how often it is picked in comparison with the others. */
type Operation = readonly [weight: number, run: () => void | Promise<void>]

export class Course {
  operations = 0
  /** Whether nobody knows any more what was under way. */
  #isLost = false
  readonly #at: Simulation
  readonly #messages: Messages
  readonly #choices: readonly Operation[]

  constructor(at: Simulation) {
    this.#at = at
    this.#messages = new Messages(at)
    this.#choices = [
      [60, () => this.#ask()],
      [12, () => this.#kickLate()],
      [6, () => this.#poll()],
      [4, () => this.#messages.pauseOne()],
      [4, () => this.#restartOne()],
      [6, () => this.#messages.changeMemory()],
      [4, () => this.#messages.changeLog()],
      [5, () => this.#messages.changeEvents()],
      [5, () => this.#messages.askSomething()],
      [2, () => this.#messages.sayNeutral()],
      [3, () => this.#messages.sayWrongly()],
      [2, () => this.#messages.changeStatus()],
      [1, () => this.#reboot('reboot')],
      [1, () => this.#cut()],
      [1, () => this.#malformed()],
      [1, () => this.#die('thread')],
      [1, () => this.#die('process')],
      [1, () => this.#poison()],
      [1, () => this.#second()],
      [1, () => at.resize()],
      [2, () => this.#resetOwner()],
      [3, () => this.#powerFails()],
    ]
  }

  async run(operations: number): Promise<void> {
    const at = this.#at
    await this.#serve()
    at.connect()
    this.#messages.handshake()
    this.#messages.setUpAll()
    const all = this.#choices.reduce((sum, [weight]) => sum + weight, 0)
    while (this.operations < operations && at.divergences.length === 0) {
      this.operations++
      let ticket = at.system.below(all)
      const chosen = this.#choices.find(([weight]) => (ticket -= weight) < 0)
      await chosen?.[1]()
      await at.steps(at.system.below(14))
      await this.#mend()
    }
    if (at.divergences.length === 0) await this.#finish()
  }

  async #serve(): Promise<void> {
    const { system } = this.#at
    await this.#at.begin(1 + system.below(2), system.pick([0, 50]))
  }

  /** What was ended, expected or not, begins anew. */
  async #mend(): Promise<void> {
    const at = this.#at
    const { end, serving, system } = at
    if (!at.isBereft && !end.isToEnd && !end.isOver) return
    if (serving.process.life.isOver) {
      end.cut(null)
      await this.#serve()
    } else if (!end.isOver) {
      // All that was said before the end is answered before it.
      if (!(await at.until(() => end.isOver))) this.#isOpenStill()
    }
    system.note('again')
    await this.#connectAgain()
  }

  /** Without a thread that had no vring it may be, as long as all is answered. */
  #isOpenStill(): void {
    const at = this.#at
    const [first] = at.end.due
    if (!at.isBereft || !at.mayGoOn) at.diverge('the backend did not close the connection')
    else if (first !== undefined) at.diverge(`${first.name} is not answered`)
    else at.end.cut(null)
  }

  async #connectAgain(): Promise<void> {
    const at = this.#at
    this.#isLost ||= at.isBereft && !at.hasInflight
    const isPoisoned = at.queues.some((queue) => queue.isPoisoned)
    at.isBereft = false
    // What an ending session has in hand comes first: it is over when the next is served.
    at.connect()
    this.#messages.handshake()
    // How far the queues are is known when the session before is over.
    await this.#quiet()
    if (at.end.isToEnd || at.end.isOver || at.isBereft) return
    if (this.#isLost || isPoisoned) this.#startAnew()
    else this.#messages.setUpAll()
  }

  /** All that was said is answered. */
  async #quiet(): Promise<void> {
    const at = this.#at
    const isQuiet = await at.until(() => at.end.isQuiet || at.end.isOver || at.isBereft)
    if (!isQuiet) at.diverge(`${at.end.due[0]?.name} is not answered`)
  }

  /** The driver forgets all it has asked, and begins with empty queues. The vrings stand. */
  #startAnew(): void {
    const at = this.#at
    this.#isLost = false
    at.abandonAll()
    for (const queue of at.queues) {
      queue.call.count = 0
      queue.reset(at.ringFeatures, at.system.chance(50) ? 0 : at.system.below(0x10000))
    }
    at.inflight.bytes.fill(0)
    this.#messages.setUpAll()
  }

  #queue(): GuestQueue {
    return this.#at.system.pick(this.#at.queues)
  }

  #ask(): void {
    const at = this.#at
    const { system } = at
    const queue = this.#queue()
    if (queue.isPoisoned) return
    const count = 1 + system.below(5)
    for (let index = 0; index < count; index++) {
      const pieces = Math.min(8, Math.max(2, queue.size >> 1))
      const asked = at.requests.ask(queue, this.#messages.sharedRegions(), pieces)
      if (asked === null) break
      asked.isLogged = at.logs
      at.asked[queue.index]?.set(asked.head, asked)
      this.operations += index > 0 ? 1 : 0
      system.note(describedRequest(queue.index, asked))
      if (system.chance(60)) this.#publish(queue)
    }
    this.#publish(queue)
  }

  #publish(queue: GuestQueue): void {
    const at = this.#at
    queue.driver.publish()
    if (!queue.driver.needsKick()) {
      if (at.system.chance(3)) queue.kick.signal()
      return
    }
    const chance = at.system.below(100)
    if (chance < 12) {
      at.fault('late kick')
      queue.owesKick = true
      return
    }
    queue.kick.signal()
    queue.owesKick = false
    if (chance < 24) {
      at.fault('doubled kick')
      queue.kick.signal()
    }
  }

  #kickLate(): void {
    for (const queue of this.#at.queues) {
      if (queue.owesKick) queue.kick.signal()
      queue.owesKick = false
    }
  }

  #poll(): void {
    const queue = this.#queue()
    queue.driver.disableCalls()
    this.#at.take(queue)
    this.#at.interrupt(queue)
  }

  async #restartOne(): Promise<void> {
    if (this.#isPoisoned()) return
    this.#at.fault('vring restart')
    await this.#messages.restart(this.#queue())
  }

  #isPoisoned(): boolean {
    return this.#at.queues.some((queue) => queue.isPoisoned)
  }

  /** The guest begins anew, in mid-load. */
  async #reboot(kind: string): Promise<void> {
    const at = this.#at
    at.fault(kind)
    await this.#messages.stopAll()
    if (at.isBereft || at.end.isOver || at.end.isToEnd) return
    this.#startAnew()
  }

  /** @returns whether it has no owner now, and goes on */
  async #disown(): Promise<boolean> {
    const at = this.#at
    at.end.say({ name: 'RESET_OWNER', payload: null })
    await this.#quiet()
    if (at.isBereft || at.end.isOver || at.end.isToEnd) return false
    // Without an answer that is asked for, this says when it is done.
    at.end.say({ name: 'GET_FEATURES', payload: null })
    await this.#quiet()
    return !at.isBereft && !at.end.isOver && !at.end.isToEnd
  }

  async #resetOwner(): Promise<void> {
    const at = this.#at
    at.fault('reset of the owner')
    if (!(await this.#disown())) return
    for (let count = at.system.below(6); count > 0; count--) {
      this.#messages.sayEarly()
      await this.#quiet()
      if (at.end.isOver || at.end.isToEnd) return
    }
    for (let count = at.system.below(4); count > 0; count--) this.#messages.askSomething()
    if (at.system.chance(50)) this.#messages.sayNeutral()
    await this.#quiet()
    const isThere = at.serving.process.threads.some(({ life }) => !life.isOver)
    if (!isThere && at.system.chance(30)) {
      at.fault('thread not made')
      at.serving.process.refusedThreads = 1
      this.#messages.own(true)
      await this.#quiet()
      if (at.end.isOver || at.end.isToEnd) return
    }
    this.#messages.own(false)
    this.#startAnew()
  }

  async #cut(): Promise<void> {
    const at = this.#at
    at.fault('connection cut')
    at.end.cut(at.system.chance(70) ? this.#messages.anything() : null)
    if (at.system.chance(40)) await at.steps(at.system.below(40))
    if (at.system.chance(30)) at.system.pass(100)
    await this.#connectAgain()
  }

  #malformed(): void {
    this.#at.fault('malformed message')
    this.#messages.sayMalformed()
  }

  async #die(who: 'thread' | 'process'): Promise<void> {
    const at = this.#at
    at.fault(`${who} death`)
    const isEarly = at.system.chance(40) && (await this.#takeAnew())
    if (at.isBereft) return
    const { process } = at.serving
    const threads = process.threads.filter(({ life }) => !life.isOver)
    const left = 1 + at.system.below(isEarly ? 20 : at.system.pick([60, 400]))
    const first = at.system.below(Math.max(1, threads.length))
    const chosen = who === 'thread' ? threads.slice(first, first + 1) : threads
    for (const { life } of chosen) {
      life.left = left
      life.victim = who === 'thread' ? life : process.life
    }
    await this.#asMuchAsPossible(isEarly ? at.system.below(20) : 20 + at.system.below(60))
    if (at.isBereft) return
    // It came to no such step: it ends between two, unless it has ended by itself.
    for (const { life } of threads) life.left = Infinity
    const victim = who === 'process' ? process.life : chosen[0]?.life
    if (victim === undefined || victim.isOver) return
    at.bereave(victim)
    victim.end()
    await at.steps(1)
  }

  /** New threads come. @returns whether the first is there, and has nothing to do yet */
  async #takeAnew(): Promise<boolean> {
    const at = this.#at
    const { end, serving } = at
    if (end.isToEnd || end.isOver || !end.table.owned || !(await this.#disown())) return false
    this.#messages.own(false)
    this.#startAnew()
    const isAlive = (): boolean => serving.process.threads.some(({ life }) => !life.isOver)
    await at.until(() => isAlive() || end.isOver || at.isBereft)
    return isAlive()
  }

  async #asMuchAsPossible(steps: number): Promise<void> {
    for (let count = 0; count < steps && !this.#at.isBereft; count++) {
      if (this.#at.system.chance(20)) this.#ask()
      if (!(await this.#at.step())) this.#ask()
    }
  }

  /** A chain that breaks the rules: its vring stands, and the others go on. */
  async #poison(): Promise<void> {
    const at = this.#at
    const queue = this.#queue()
    await this.#quiet()
    const { table } = at.end
    if (at.isBereft || at.end.isOver || at.end.isToEnd) return
    if (table.vrings[queue.index]?.state !== 'running' || this.#isPoisoned()) return
    at.fault('bad chain')
    queue.isPoisoned = true
    this.#messages.offerBadly(queue)
    queue.kick.signal()
    const isBroken = await at.until(() => table.broken.has(queue.index) || at.isBereft)
    if (!isBroken) at.diverge(`vring ${queue.index} is not broken`)
    if (at.isBereft) return
    if (at.system.chance(60)) this.#messages.changeMemory()
    await this.#quiet()
    for (let count = at.system.below(6); count > 0; count--) {
      this.#ask()
      await at.steps(10)
    }
    await this.#reboot('reboot')
  }

  /** Another frontend comes meanwhile: it is turned away. */
  async #second(): Promise<void> {
    const at = this.#at
    if (at.end.isToEnd || at.end.isOver) return
    await this.#quiet()
    if (at.end.isToEnd || at.end.isOver || at.isBereft) return
    at.fault('second frontend')
    const [mine, its] = SocketThing.pair()
    at.serving.process.listener?.waiting.push(its)
    if (!(await at.until(() => mine.isHungUp || at.isBereft)))
      at.diverge('a second frontend was not turned away')
  }

  async #powerFails(): Promise<void> {
    const at = this.#at
    const { data, process } = at.serving
    if (!at.nature.isVolatile || data.layer.kind !== 'faults') return
    at.fault('loss of power')
    at.end.cut(null)
    await this.#over()
    for (const queue of at.queues) at.take(queue)
    if (!at.nature.crash(process, data.layer)) at.diverge('the crash could not undo')
    process.life.end()
    await this.#serve()
    await this.#connectAgain()
    await this.#quiet()
    // The guest has lost power too.
    await this.#reboot('reboot')
  }

  /** The server's end: nothing is left of it. */
  async #over(): Promise<void> {
    const at = this.#at
    const { server, device, process, resized } = at.serving
    let isOver = false
    void server
      .close()
      .then(() => device.release())
      .then(
        () => (isOver = true),
        (error: Error) => at.diverge(`the end: ${error.message}`),
      )
    if (!(await at.until(() => isOver))) return at.diverge('the server does not end')
    process.close(resized)
    await at.until(() => process.turns.length === 0)
    if (!process.hasLostThread && process.open.length > 0)
      at.diverge(`left open: ${process.open.join(', ')}`)
  }

  async #finish(): Promise<void> {
    const at = this.#at
    await this.#quiet()
    await this.#mend()
    await this.#messages.goOn()
    await this.#quiet()
    await this.#mend()
    this.#kickLate()
    if (!(await at.until(() => at.underWay === 0)))
      at.diverge(`${at.underWay} requests are not answered`)
    if (at.divergences.length > 0) return
    at.end.cut(null)
    await this.#over()
    const { process } = at.serving
    process.life.end()
  }
}
