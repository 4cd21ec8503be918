/**
 * What the frontend says: in good order, in mid-load, and against the rules.
 *
 * @module
 */
import type { GuestQueue } from './guest.js'
import { earlySayings, malformed, wrongSayings } from './misconduct.js'
import { SettingUp, shuffle } from './setting-up.js'
import { SocketThing } from './system.js'
import { bits, type Said } from './table.js'

export class Messages extends SettingUp {
  /** How often it was asked to log. */
  #logRound = 0
  /** Regions come and go in mid-load. */
  changeMemory(): void {
    const { end, memory, system } = this.at
    if (!end.table.owned || end.isToEnd) return
    this.at.fault('memory change')
    const second = memory.regions[1]?.description
    if (second === undefined || !end.table.speaks('CONFIGURE_MEM_SLOTS') || system.chance(30))
      return this.setMemory()
    const isThere = end.table.regions.some(({ guest }) => guest === second.guest)
    if (!isThere) {
      this.addRegion(second)
      this.expectSecond()
    } else if (!this.isSecondInUse()) {
      this.forgetSecond()
      this.say('REM_MEM_REG', second)
    }
  }

  async restart(queue: GuestQueue): Promise<void> {
    const at = this.at
    const { index } = queue
    if (!at.end.table.owned) return
    let base = queue.usedIndex
    let isStopped = false
    this.say(
      'GET_VRING_BASE',
      { index, num: 0 },
      {
        check: (payload) => {
          isStopped = true
          base = (payload as { num: number }).num
          return this.#wrongBase(queue, base)
        },
      },
    )
    await at.until(() => isStopped || at.end.isOver || at.isBereft)
    if (!isStopped) return
    if (at.system.chance(50)) await at.steps(at.system.below(20))
    const pieces = this.pieces(queue, base)
    shuffle(pieces, at.system.below)
    for (const piece of pieces) piece()
  }

  /** Where a vring has stood before it began, nobody has told it a base that could be compared. */
  #wrongBase(queue: GuestQueue, base: number): string | null {
    if (queue.isPoisoned || base === queue.usedIndex) return null
    return `its base is ${base}, and ${queue.usedIndex} are used`
  }

  /** All vrings stand afterwards. */
  async stopAll(): Promise<void> {
    const at = this.at
    const { end, system } = at
    const chance = system.below(3)
    if (chance === 0) this.say('RESET_DEVICE', null)
    else if (chance === 1 && end.table.speaks('STATUS')) this.say('SET_STATUS', 0n)
    for (const { index } of at.queues)
      if (chance !== 0 || system.chance(50)) this.say('GET_VRING_BASE', { index, num: 0 })
    let isStopped = false
    this.afterwards(() => (isStopped = true))
    await at.until(() => isStopped || end.isOver || end.isToEnd || at.isBereft)
    if (!isStopped && !end.isOver && !end.isToEnd && !at.isBereft)
      at.diverge('the vrings do not stop')
    for (const queue of at.queues) at.take(queue)
  }

  /** One is disabled, and enabled again sooner or later. */
  pauseOne(): void {
    const { system, queues, end } = this.at
    if (!end.table.owned) return
    const { index } = system.pick(queues)
    const isEnabled = end.table.vrings[index]?.isEnabled === true
    this.say('SET_VRING_ENABLE', { index, num: isEnabled ? 0 : 1 })
    if (isEnabled && system.chance(60)) this.say('SET_VRING_ENABLE', { index, num: 1 })
  }

  /** Whatever holds vrings up is over. */
  async goOn(): Promise<void> {
    const { queues, end } = this.at
    for (const queue of queues) {
      if (end.table.vrings[queue.index]?.isEnabled !== true)
        this.say('SET_VRING_ENABLE', { index: queue.index, num: 1 })
    }
  }

  changeLog(): void {
    const at = this.at
    const { end, log, system } = at
    if (!end.table.speaks('LOG_SHMFD') || !end.table.owned || end.isToEnd) return
    const chance = at.logs ? system.below(4) : 0
    if (chance > 1) {
      at.forgetLog()
      log.bytes.fill(0)
      at.logs = true
    } else if (chance === 1) {
      at.forgetLog()
      this.say('SET_FEATURES', this.features)
    } else {
      at.fault('dirty log')
      at.forgetLog()
      this.say('SET_LOG_BASE', { size: log.bytes.length, offset: 0 }, { things: [at.copyOf(log)] })
      this.say('SET_FEATURES', this.features | bits.log)
      if (system.chance(20))
        this.say('SET_LOG_FD', null, { things: [at.queues[0]?.error ?? its()] })
      const session = at.end
      const { features } = session.table
      const round = ++this.#logRound
      // An answer of before may come when the same is asked for once more, and not done yet.
      this.afterwards(() => {
        if (round === this.#logRound) at.logs = session.table.features === features
      })
    }
  }

  changeEvents(): void {
    const { end, queues, system } = this.at
    if (!end.table.owned) return
    const queue = system.pick(queues)
    this.setEvent(system.pick(['SET_VRING_KICK', 'SET_VRING_CALL', 'SET_VRING_ERR']), queue)
  }

  changeStatus(): void {
    const { end, queues, system } = this.at
    if (!end.table.speaks('STATUS') || !end.table.owned) return
    if (system.chance(60)) {
      const status = BigInt(1 + system.below(255))
      this.say('SET_STATUS', status)
      this.say('GET_STATUS', null, {
        check: (found) => (found === status ? null : `it is ${String(found)}`),
      })
      return
    }
    this.say('SET_STATUS', 0n)
    for (const queue of queues) this.setEvent('SET_VRING_KICK', queue)
  }

  askSomething(): void {
    const { end, system, nature, queues, queueSize } = this.at
    const { table } = end
    const capacity = nature.capacity
    const choices: [boolean, () => void][] = [
      [true, () => this.say('GET_QUEUE_NUM', null)],
      [true, () => this.say('GET_PROTOCOL_FEATURES', null)],
      [table.speaks('CONFIGURE_MEM_SLOTS'), () => this.say('GET_MAX_MEM_SLOTS', null)],
      [table.speaks('CONFIG'), () => this.setWriteback()],
      [
        table.speaks('CONFIG'),
        () =>
          this.say(
            'GET_CONFIG',
            { offset: 0, flags: 0, bytes: new Uint8Array(8) },
            {
              check: (found) => {
                const { bytes } = found as { bytes: Uint8Array }
                const is = Number(new DataView(bytes.slice().buffer).getBigUint64(0, true))
                return is === capacity || is === nature.capacity
                  ? null
                  : `the disk has ${is} sectors`
              },
            },
          ),
      ],
      [
        table.owned && table.speaks('INFLIGHT_SHMFD'),
        () =>
          this.say(
            'GET_INFLIGHT_FD',
            { size: 0, offset: 0, queues: queues.length, queueSize },
            {
              check: (found, things) => {
                const { size } = found as { size: number }
                const due = queues.length * this.at.inflightBytes
                return size === due && things.length === 1 ? null : `it has ${size} bytes`
              },
            },
          ),
      ],
    ]
    const possible = choices.filter(([isPossible]) => isPossible)
    system.pick(possible)[1]()
  }

  /** What changes nothing, however often it is said. */
  sayNeutral(): void {
    const { protocol, end, system, hasInflight } = this.at
    const { table } = end
    if (system.chance(30)) this.say('SET_PROTOCOL_FEATURES', protocol)
    else if (system.chance(40) && table.owned && hasInflight) this.setInflight()
    else if (system.chance(50) && table.speaks('BACKEND_REQ')) this.openChannel()
    else if (!table.owned) this.say('SET_FEATURES', this.features)
    else this.#changeFeatures()
  }

  /** Another feature than before: all vrings stand meanwhile. */
  #changeFeatures(): void {
    this.at.forgetLog()
    this.say('SET_FEATURES', this.features & ~(1n << 6n))
    this.say('SET_FEATURES', this.features)
  }

  /** Something before there is an owner. */
  sayEarly(): void {
    const { end, system, queues } = this.at
    this.#sayWrong(system.pick(earlySayings(end.table, system.pick(queues))))
  }

  /** Something at the wrong time, or that there is not. */
  sayWrongly(): void {
    const { end, system, queues } = this.at
    this.#sayWrong(system.pick(wrongSayings(end.table, system, queues)))
  }

  #sayWrong(said: Said & { readonly things?: number }): void {
    const { system } = this.at
    const { name, payload, things = 0 } = said
    this.at.fault('message at the wrong time')
    this.say(name, payload, {
      needReply: system.chance(85),
      fails: name === 'SET_CONFIG',
      things: Array.from({ length: things }, () => this.at.copyOf(this.at.memory.file)),
    })
  }

  sayMalformed(): void {
    this.at.end.sayRaw(malformed(this.at.system))
    this.at.edges.add('session: malformed end')
  }

  /** Of this, a part may come before the connection is cut. */
  anything(): Said {
    const { system, queues } = this.at
    return system.pick([
      { name: 'GET_FEATURES', payload: null },
      { name: 'SET_VRING_ADDR', payload: system.pick(queues).addresses(0) },
      { name: 'SET_STATUS', payload: 0n },
      { name: 'GET_VRING_BASE', payload: { index: 0, num: 0 } },
    ])
  }

  /** A chain that breaks the rules, behind good ones. */
  offerBadly({ driver, size }: GuestQueue): void {
    const { system } = this.at
    switch (system.below(4)) {
      case 0:
        driver.offer(size + 3)
        break
      case 1:
        driver.writeDescriptor(0, { address: 0x10, length: 64, flags: 0, next: 0 })
        driver.offer(0)
        break
      case 2:
        driver.writeDescriptor(0, { address: 0x100000, length: 16, flags: 1, next: 0 })
        driver.offer(0)
        break
      default:
        driver.setAvailableIndex(driver.size + 1 + system.below(30_000))
        return
    }
    driver.publish()
  }
}

const its = (): SocketThing => new SocketThing()
