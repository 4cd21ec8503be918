/**
 * The plain table of what a frontend may say when, and what a vring does then: what the session's answers
 * are compared with.
 *
 * @module
 */
import type { MemoryRegion, VringAddress } from '../../../src/vhost/payloads.js'

/** How a request ends: done; refused; the connection is closed. */
export type Verdict = 'done' | 'refused' | 'end'

export const bits = {
  version1: 1n << 32n,
  protocol: 1n << 30n,
  log: 1n << 26n,
  eventIndex: 1n << 29n,
  indirect: 1n << 28n,
} as const

export const protocolBits = {
  REPLY_ACK: 1n << 3n,
  LOG_SHMFD: 1n << 1n,
  BACKEND_REQ: 1n << 5n,
  CONFIG: 1n << 9n,
  INFLIGHT_SHMFD: 1n << 12n,
  CONFIGURE_MEM_SLOTS: 1n << 15n,
  STATUS: 1n << 16n,
} as const

type Feature = keyof typeof protocolBits
type When = readonly [owned: boolean, feature?: Feature]

/** The rules that each request has before it is looked into. */
export const rules: Readonly<Record<string, When>> = {
  GET_FEATURES: [false],
  SET_FEATURES: [false],
  GET_PROTOCOL_FEATURES: [false],
  SET_PROTOCOL_FEATURES: [false],
  GET_QUEUE_NUM: [false],
  SET_OWNER: [false],
  RESET_OWNER: [true],
  RESET_DEVICE: [true],
  SET_STATUS: [true, 'STATUS'],
  GET_STATUS: [true, 'STATUS'],
  SET_MEM_TABLE: [true],
  GET_MAX_MEM_SLOTS: [false, 'CONFIGURE_MEM_SLOTS'],
  ADD_MEM_REG: [true, 'CONFIGURE_MEM_SLOTS'],
  REM_MEM_REG: [true, 'CONFIGURE_MEM_SLOTS'],
  SET_LOG_BASE: [true, 'LOG_SHMFD'],
  SET_LOG_FD: [true],
  SET_VRING_NUM: [true],
  SET_VRING_BASE: [true],
  SET_VRING_ADDR: [true],
  SET_VRING_KICK: [true],
  SET_VRING_CALL: [true],
  SET_VRING_ERR: [true],
  SET_VRING_ENABLE: [true],
  GET_VRING_BASE: [true],
  GET_CONFIG: [false, 'CONFIG'],
  SET_CONFIG: [false, 'CONFIG'],
  SET_BACKEND_REQ_FD: [false, 'BACKEND_REQ'],
  GET_INFLIGHT_FD: [true, 'INFLIGHT_SHMFD'],
  SET_INFLIGHT_FD: [true, 'INFLIGHT_SHMFD'],
}

export interface VringRow {
  size: number | null
  addresses: VringAddress | null
  base: number | null
  hasKick: boolean
  isEnabled: boolean
  state: 'stopped' | 'running' | 'broken'
}

const fresh = (): VringRow => ({
  size: null,
  addresses: null,
  base: null,
  hasKick: false,
  isEnabled: false,
  state: 'stopped',
})

/** A request: its name and what it carries. */
export interface Said {
  readonly name: string
  readonly payload: unknown
}

/** One session's part of the table. */
export class Table {
  owned = false
  protocol = 0n
  features: bigint | null = null
  status = 0
  regions: MemoryRegion[] = []
  inflight: { queues: number; queueSize: number } | null = null
  readonly vrings: VringRow[]
  /** Vrings that were broken since they began. */
  readonly broken = new Set<number>()
  readonly #offered: bigint
  readonly #edges: Set<string>
  /** What the request that is judged does to vrings. */
  #cause = ''

  constructor(vrings: number, offered: bigint, edges: Set<string>) {
    this.vrings = Array.from({ length: vrings }, fresh)
    this.#offered = offered
    this.#edges = edges
  }

  speaks(feature: Feature): boolean {
    return (this.protocol & protocolBits[feature]) !== 0n
  }

  /** What becomes of a request: the table is as after it. @param fails - what the system does not give */
  judge(said: Said, fails: boolean): Verdict {
    const state = this.owned ? 'owned' : 'new'
    this.#cause = said.name
    const verdict = this.#admitted(said) ?? this.#run(said, fails)
    this.#edges.add(`session ${state}: ${said.name} ${verdict}`)
    return verdict
  }

  #admitted({ name }: Said): Verdict | null {
    const rule = rules[name]
    if (rule === undefined) return 'end'
    const [owned, feature] = rule
    if (feature !== undefined && !this.speaks(feature)) return 'end'
    return owned && !this.owned ? 'refused' : null
  }

  #run({ name, payload }: Said, fails: boolean): Verdict {
    switch (name) {
      case 'SET_FEATURES':
        return this.#setFeatures(payload as bigint)
      case 'SET_PROTOCOL_FEATURES':
        if (((payload as bigint) & ~0x1_b22bn) !== 0n) return 'end'
        this.protocol = payload as bigint
        return 'done'
      case 'SET_OWNER':
        if (this.owned || fails) return 'refused'
        this.owned = true
        return 'done'
      case 'RESET_OWNER':
        this.#resetVrings()
        this.regions = []
        this.inflight = null
        this.status = 0
        this.owned = false
        return 'done'
      case 'RESET_DEVICE':
        this.#resetVrings()
        this.status = 0
        return 'done'
      case 'SET_STATUS':
        if ((payload as bigint) > 0xffn) return 'end'
        this.status = Number(payload)
        if (this.status === 0) for (const vring of this.vrings) this.#halt(vring)
        return 'done'
      case 'SET_CONFIG':
      case 'SET_LOG_BASE':
        return fails ? 'refused' : 'done'
      default:
        return name.includes('VRING') ? this.#vring(name, payload) : this.#shared(name, payload)
    }
  }

  #setFeatures(features: bigint): Verdict {
    if ((features & ~this.#offered) !== 0n) return 'end'
    const before = this.features
    if (before !== null && ((before ^ features) & ~bits.log) === 0n) {
      this.features = features
      return 'done'
    }
    return this.#whileStopped(() => {
      this.features = features
      return true
    })
  }

  #shared(name: string, payload: unknown): Verdict {
    switch (name) {
      case 'SET_MEM_TABLE':
        return this.#whileStopped(() => {
          const regions = payload as MemoryRegion[]
          if (regions.some((region, at) => regions.slice(0, at).some(meets(region)))) return false
          this.regions = regions
          return true
        })
      case 'ADD_MEM_REG':
        return this.#whileStopped(() => {
          const region = payload as MemoryRegion
          if (this.regions.some(meets(region))) return false
          this.regions = [...this.regions, region]
          return true
        })
      case 'REM_MEM_REG':
        return this.#whileStopped(() => {
          const { guest, size, user } = payload as MemoryRegion
          const rest = this.regions.filter(
            (each) => each.guest !== guest || each.size !== size || each.user !== user,
          )
          const isThere = rest.length < this.regions.length
          this.regions = rest
          return isThere
        })
      case 'SET_INFLIGHT_FD':
        return this.#whileStopped(() => {
          this.inflight = payload as { queues: number; queueSize: number }
          return true
        })
      case 'GET_INFLIGHT_FD':
        return (payload as { queues: number }).queues > 0 ? 'done' : 'refused'
      default:
        return 'done'
    }
  }

  #vring(name: string, payload: unknown): Verdict {
    const { index, num } = payload as { index: number; num: number }
    if (name === 'SET_VRING_ENABLE' && num > 1) return 'end'
    const vring = this.vrings[index]
    if (vring === undefined) return 'end'
    switch (name) {
      case 'SET_VRING_NUM':
        if (vring.state === 'running') return 'refused'
        if (!(num > 0 && num <= 32768 && (num & (num - 1)) === 0)) return 'refused'
        vring.size = num
        break
      case 'SET_VRING_BASE':
        if (vring.state === 'running' || num > 0xffff) return 'refused'
        vring.base = num
        break
      case 'SET_VRING_ADDR': {
        const next = payload as VringAddress
        const now = vring.addresses
        const isSame =
          now?.descriptors === next.descriptors &&
          now.available === next.available &&
          now.used === next.used
        if (vring.state === 'running' && !isSame) return 'refused'
        vring.addresses = next
        break
      }
      case 'SET_VRING_KICK':
        this.#halt(vring)
        vring.hasKick = true
        break
      case 'SET_VRING_ENABLE':
        vring.isEnabled = num === 1
        if (!this.#mayRun(vring)) this.#pause(vring)
        break
      case 'GET_VRING_BASE':
        this.#takeBase(vring)
        return 'done'
      default:
    }
    return this.#start(vring) ? 'done' : 'refused'
  }

  #whileStopped(change: () => boolean): Verdict {
    for (const vring of this.vrings) this.#pause(vring)
    const isChanged = change()
    const starts = this.vrings.map((vring) => this.#start(vring))
    return isChanged && starts.every(Boolean) ? 'done' : 'refused'
  }

  #mayRun(vring: VringRow): boolean {
    const hasMessage = this.features === null || (this.features & bits.protocol) !== 0n
    return vring.isEnabled || !hasMessage
  }

  /** @returns false: it has all it needs, and cannot run */
  #start(vring: VringRow): boolean {
    const { size, addresses, base, hasKick, state } = vring
    if (state !== 'stopped' || !this.#mayRun(vring)) return true
    if (size === null || addresses === null || base === null || !hasKick) return true
    if (this.features === null || this.regions.length === 0) return true
    const lies = (user: number, length: number, unit: number): boolean =>
      user % unit === 0 &&
      this.regions.some((each) => user >= each.user && user + length <= each.user + each.size)
    const { inflight } = this
    const index = this.vrings.indexOf(vring)
    if (inflight !== null && index < inflight.queues && inflight.queueSize !== size) return false
    const fits =
      lies(addresses.descriptors, 16 * size, 16) &&
      lies(addresses.available, 6 + 2 * size, 2) &&
      lies(addresses.used, 6 + 8 * size, 4)
    if (fits) this.#goes(vring, 'running')
    return fits
  }

  #pause(vring: VringRow): void {
    if (vring.state !== 'running') return
    const isBroken = this.broken.has(this.vrings.indexOf(vring))
    this.#goes(vring, isBroken ? 'broken' : 'stopped')
  }

  #halt(vring: VringRow): void {
    this.#pause(vring)
    vring.hasKick = false
    if (vring.state === 'broken') this.#goes(vring, 'stopped')
  }

  #takeBase(vring: VringRow): void {
    this.#halt(vring)
    Object.assign(vring, { size: null, addresses: null, base: null })
  }

  #resetVrings(): void {
    for (const vring of this.vrings) {
      this.#takeBase(vring)
      vring.isEnabled = false
    }
  }

  #goes(vring: VringRow, to: VringRow['state']): void {
    this.#edges.add(`vring ${vring.state} to ${to}: ${this.#cause}`)
    vring.state = to
    if (to === 'running') this.broken.delete(this.vrings.indexOf(vring))
  }
}

type Extent = Pick<MemoryRegion, 'guest' | 'size' | 'user'>

function meets(a: Extent): (b: Extent) => boolean {
  const meet = (from: number, to: number, b: Extent): boolean =>
    from < to + b.size && to < from + a.size
  return (b) => meet(a.guest, b.guest, b) || meet(a.user, b.user, b)
}
