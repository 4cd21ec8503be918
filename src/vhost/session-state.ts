/**
 * What a session holds, and each thing that changes it. `session.ts` says which request leads to which.
 *
 * @module
 */
import { VHOST_F_LOG_ALL, VHOST_USER_F_PROTOCOL_FEATURES } from '../virtio/index.js'
import type { Backend, DirtyLog } from './backend.js'
import { BackendChannel } from './backend-channel.js'
import {
  hexOf,
  offeredProtocolFeatures,
  protocolFeatures,
  type ProtocolFeature,
} from './features.js'
import { MemoryTable } from './memory-table.js'
import type { Ownership } from './ownership.js'
import type { ConfigSpace, InflightArea, LogArea } from './payloads.js'
import { ProtocolError } from './protocol-error.js'
import { demand, Refusal } from './refusal.js'
import { SessionVrings } from './session-vrings.js'
import { InflightRegion, mapLog, type MappedLog } from './mapped-areas.js'
import type { VringContext, VringState } from './vring-state.js'

export class SessionState implements VringContext {
  readonly backend: Backend
  readonly memory: MemoryTable
  readonly vrings: SessionVrings
  readonly channel: BackendChannel
  readonly #ownership: Ownership
  #isOwner = false
  /** What the frontend has set; null before. */
  #features: bigint | null = null
  #protocol = 0n
  #status = 0
  #mappedLog: MappedLog | null = null
  /** Logs of before, that a thread which failed may still use. */
  readonly #doubtful: MappedLog[] = []
  #inflight: InflightRegion | null = null

  constructor(backend: Backend, ownership: Ownership, socket: string) {
    this.backend = backend
    this.channel = new BackendChannel(socket)
    this.memory = new MemoryTable((regions) => backend.setMemory(regions))
    this.vrings = new SessionVrings(backend.vrings, this)
    this.#ownership = ownership
    backend.onConfigChange = () => this.channel.configChanged()
  }

  /** All features there are. */
  get offered(): bigint {
    return this.backend.features | VHOST_F_LOG_ALL | VHOST_USER_F_PROTOCOL_FEATURES
  }

  get features(): bigint | null {
    if (this.#features === null) return null
    return this.#features & ~(VHOST_F_LOG_ALL | VHOST_USER_F_PROTOCOL_FEATURES)
  }

  get enablesAll(): boolean {
    return this.#features !== null && (this.#features & VHOST_USER_F_PROTOCOL_FEATURES) === 0n
  }

  get inflight(): InflightRegion | null {
    return this.#inflight
  }

  get log(): DirtyLog | null {
    const logs = ((this.#features ?? 0n) & VHOST_F_LOG_ALL) !== 0n
    return logs ? (this.#mappedLog?.log ?? null) : null
  }

  get status(): number {
    return this.#status
  }

  get isOwner(): boolean {
    return this.#isOwner
  }

  /** Whether a protocol feature was agreed on. */
  speaks(feature: ProtocolFeature): boolean {
    return (this.#protocol & protocolFeatures[feature]) !== 0n
  }

  async setFeatures(features: bigint): Promise<void> {
    demandOffered('SET_FEATURES', features, this.offered)
    const before = this.#features
    const logging = (before ?? 0n) ^ features
    // QEMU says the same again at each start, and for each pair of queues, while others run.
    if (before === features) return
    if (before !== null && (logging & ~VHOST_F_LOG_ALL) === 0n) {
      this.#features = features
      await this.vrings.logChanged()
      return
    }
    await this.vrings.whileStopped(() => {
      this.#features = features
    })
  }

  setProtocolFeatures(features: bigint): void {
    demandOffered('SET_PROTOCOL_FEATURES', features, offeredProtocolFeatures)
    this.#protocol = features
  }

  async setOwner(): Promise<void> {
    demand(!this.#isOwner, 'SET_OWNER came again: the device has its owner (EBUSY)')
    await this.#ownership.take()
    this.#isOwner = true
  }

  /** RESET_OWNER: nothing is left but what was agreed on. */
  async resetOwner(): Promise<void> {
    await this.vrings.reset()
    await this.memory.clear()
    this.#closeAreas()
    this.#status = 0
    this.#isOwner = false
    await this.#ownership.reset()
  }

  /** RESET_DEVICE: the memory stays. Some frontends never send it again. */
  async resetDevice(): Promise<void> {
    await this.vrings.reset()
    this.#status = 0
  }

  async setStatus(status: bigint): Promise<void> {
    if (status > 0xffn) throw new ProtocolError(`The status ${hexOf(status)} has more than 8 bits`)
    this.#status = Number(status)
    if (status === 0n) await this.vrings.halt()
  }

  /** All vrings stand still meanwhile: their parts may lie elsewhere afterwards. */
  async changeMemory(change: () => Promise<void>): Promise<void> {
    await this.vrings.whileStopped(change)
  }

  /** @param fd - stays open */
  async setLog(area: LogArea, fd: number): Promise<void> {
    const before = this.#mappedLog
    this.#mappedLog = mapLog(area, fd)
    // Where threads fail to change over, both stay until the end.
    if (before !== null) this.#doubtful.push(before)
    if (this.log !== null) await this.vrings.logChanged()
    for (const log of this.#doubtful.splice(0)) log.close()
  }

  /** @param fd - stays open */
  async setInflight(area: InflightArea, fd: number): Promise<void> {
    await this.vrings.whileStopped(() => {
      const before = this.#inflight
      this.#inflight = new InflightRegion(area, fd)
      before?.close()
    })
  }

  /** A piece of what a vring needs; it runs if that was the last. */
  async setUp(index: number, step: (vring: VringState) => void | Promise<void>): Promise<void> {
    const vring = this.vrings.at(index)
    await step(vring)
    await vring.start()
  }

  /** Exactly as many bytes as were asked for: zeros behind the device's own. Null: it has none. */
  readConfig({ offset, flags, bytes }: ConfigSpace): ConfigSpace | null {
    const config = this.backend.readConfig(offset, bytes.length)
    if (config.length === 0) return null
    const exact = new Uint8Array(bytes.length)
    exact.set(config.subarray(0, bytes.length))
    return { offset, flags, bytes: exact }
  }

  writeConfig({ offset, bytes }: ConfigSpace): void {
    if (this.backend.writeConfig(offset, bytes)) return
    // It is the guest that writes, and the guest that reads what became of it.
    const what = `${bytes.length} bytes of configuration at ${offset}`
    throw new Refusal(`The device does not take ${what}`, { ends: false })
  }

  /** The end: no request is under way, and none comes. @throws what went wrong */
  async end(): Promise<void> {
    this.backend.onConfigChange = null
    this.channel.close()
    try {
      await this.vrings.halt()
      await this.memory.clear()
      if (this.#isOwner) await this.#ownership.leave()
    } catch (error) {
      // Without its threads, nobody uses anything. Where they do not end, all of it stays: to unmap
      // what a thread uses would end the process.
      if (this.#isOwner) await this.#ownership.reset()
      this.#closeAll()
      throw error
    }
    this.#closeAll()
  }

  #closeAll(): void {
    this.memory.close()
    this.#closeAreas()
    this.vrings.close()
  }

  #closeAreas(): void {
    if (this.#mappedLog !== null) this.#doubtful.push(this.#mappedLog)
    this.#mappedLog = null
    for (const log of this.#doubtful.splice(0)) log.close()
    this.#inflight?.close()
    this.#inflight = null
  }
}

function demandOffered(request: string, bits: bigint, offered: bigint): void {
  const unknown = bits & ~offered
  if (unknown === 0n) return
  throw new ProtocolError(`${request} has bits that were not offered: ${hexOf(unknown)}`)
}
