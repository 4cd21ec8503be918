/**
 * What a frontend asks of a backend, step by step, with what both sides agreed on so far.
 *
 * @module
 */
import { close } from '../os/events.js'
import { memoryFile } from '../os/mapping.js'
import { pair } from '../os/sockets.js'
import {
  Caller,
  Connection,
  protocolFeatures,
  type InflightArea,
  type Message,
  type PayloadOf,
  type Reply,
  type ReplyOf,
  type RequestName,
} from '../vhost/index.js'
import { VHOST_USER_F_PROTOCOL_FEATURES } from '../virtio/index.js'
import type { FrontendMemory, FrontendRegion } from './frontend-memory.js'
import type { FrontendQueue } from './frontend-queue.js'
import { MappedFile } from './mapped-file.js'

/** The steps. Each is one request of the protocol, or the few that belong together. */
export class FrontendSteps {
  /** The features that the backend offers; 0 before {@link getFeatures}. */
  offered = 0n
  /** The features that the driver takes; 0 before {@link setFeatures}. */
  features = 0n
  /** The features of the protocol that both sides use. */
  protocol = 0n
  /** Memory in which the backend keeps what is under way; null before {@link getInflight}. */
  inflight: { readonly area: MappedFile; readonly description: InflightArea } | null = null
  /** The dirty log: a bit for each 4096 bytes of guest memory; null before {@link setLog}. */
  log: MappedFile | null = null
  /** How often the backend said that the configuration space has changed. */
  configChanges = 0
  /** The guest's memory. */
  readonly memory: FrontendMemory
  /** The queues, by their numbers. */
  readonly queues: readonly FrontendQueue[]
  protected caller: Caller<'frontend'>
  #channel: Connection<'backend'> | null = null
  #changeListeners: (() => void)[] = []

  constructor(fd: number, memory: FrontendMemory, queues: readonly FrontendQueue[]) {
    this.caller = new Caller(fd, 'frontend')
    this.memory = memory
    this.queues = queues
  }

  /** Resolves when the connection is over: null, or what the backend did wrong. */
  get ended(): Promise<Error | null> {
    return this.caller.ended
  }

  /** Whether both sides use a feature of the protocol. */
  uses(name: keyof typeof protocolFeatures): boolean {
    return (this.protocol & protocolFeatures[name]) !== 0n
  }

  /** Sends a request and asks for no reply. */
  send<Name extends RequestName>(
    name: Name,
    payload: PayloadOf<Name>,
    fds: readonly number[] = [],
  ): void {
    this.caller.send(name, payload, fds)
  }

  /**
   * Sends a request, and resolves with its reply; one that has none of its own needs REPLY_ACK.
   *
   * @throws Error: the backend has closed the connection, or what came is no such reply
   */
  call<Name extends RequestName>(
    name: Name,
    payload: PayloadOf<Name>,
    fds: readonly number[] = [],
  ): Promise<Reply<ReplyOf<Name>>> {
    return this.caller.call(name, payload, fds)
  }

  /**
   * Sends a request, and asks how it went where both sides can do that.
   *
   * @throws Error: the backend refuses it
   */
  async ask<Name extends RequestName>(
    name: Name,
    payload: PayloadOf<Name>,
    fds: readonly number[] = [],
  ): Promise<void> {
    if (!this.uses('REPLY_ACK')) return this.send(name, payload, fds)
    const { payload: answer } = await this.call(name, payload, fds)
    if (typeof answer === 'bigint' && answer !== 0n) {
      throw new Error(`The backend refuses ${name}: ${answer}`)
    }
  }

  /** Sends any bytes with any descriptors, up to 8. */
  sendRaw(bytes: Uint8Array, fds: readonly number[] = []): void {
    this.caller.sendRaw(bytes, fds)
  }

  /** Resolves when the backend has done all that it was sent before. */
  async sync(): Promise<void> {
    await this.call('GET_FEATURES', null)
  }

  /** Asks for the features that the backend offers. */
  async getFeatures(): Promise<bigint> {
    this.offered = (await this.call('GET_FEATURES', null)).payload
    return this.offered
  }

  /** Takes those of `wanted` that are offered. The protocol's own bit goes along, as QEMU has it. */
  setFeatures(wanted: bigint): void {
    this.features = this.offered & (wanted | VHOST_USER_F_PROTOCOL_FEATURES)
    this.send('SET_FEATURES', this.features)
  }

  /** Takes those of `wanted` that are offered; none where the backend does not know such features. */
  async setProtocolFeatures(wanted: bigint): Promise<void> {
    this.protocol = 0n
    if ((this.offered & VHOST_USER_F_PROTOCOL_FEATURES) === 0n) return
    const { payload } = await this.call('GET_PROTOCOL_FEATURES', null)
    this.protocol = payload & wanted
    this.send('SET_PROTOCOL_FEATURES', this.protocol)
  }

  /** Gives the backend a channel for requests of its own. */
  async setBackendChannel(): Promise<void> {
    const [mine, its] = pair()
    this.#channel?.close()
    this.#channel = new Connection(mine, 'backend', (message) => this.#answer(message))
    try {
      await this.ask('SET_BACKEND_REQ_FD', null, [its])
    } finally {
      close(its)
    }
  }

  /** Resolves when the backend has said `count` times in all that the configuration has changed. */
  async waitForConfigChange(count: number = this.configChanges + 1): Promise<void> {
    while (this.configChanges < count) {
      await new Promise<void>((resolve) => {
        this.#changeListeners.push(resolve)
      })
    }
  }

  /** Gives the backend all memory: one table, or region by region where both sides use slots. */
  async setMemory(): Promise<void> {
    const { regions } = this.memory
    if (this.uses('CONFIGURE_MEM_SLOTS')) {
      for (const region of regions) await this.addRegion(region)
    } else {
      const fds = regions.map(({ area }) => area.fd)
      await this.ask('SET_MEM_TABLE', regions.map(described), fds)
    }
  }

  /** Gives the backend one region (CONFIGURE_MEM_SLOTS). @throws Error: it is refused */
  async addRegion(region: FrontendRegion): Promise<void> {
    await this.ask('ADD_MEM_REG', described(region), [region.area.fd])
  }

  /** Takes one back. @throws Error: it is refused */
  async removeRegion(region: FrontendRegion): Promise<void> {
    await this.ask('REM_MEM_REG', described(region))
  }

  /** Gives a queue its events for calls and for errors. */
  setCall({ index, callFd, errorFd }: FrontendQueue): void {
    this.send('SET_VRING_CALL', { index, hasDescriptor: true }, [callFd])
    this.send('SET_VRING_ERR', { index, hasDescriptor: true }, [errorFd])
  }

  /** Tells where a queue lies, and starts it. The queue was set up before. */
  setRing(queue: FrontendQueue, base: number): void {
    const { index, driver, kickFd } = queue
    this.send('SET_VRING_NUM', { index, num: driver.size })
    this.send('SET_VRING_BASE', { index, num: base })
    this.send('SET_VRING_ADDR', {
      index,
      flags: this.log === null ? 0 : 1,
      descriptors: this.memory.userOf(driver.descriptors),
      used: this.memory.userOf(driver.used),
      available: this.memory.userOf(driver.available),
      log: driver.used,
    })
    this.send('SET_VRING_KICK', { index, hasDescriptor: true }, [kickFd])
  }

  /** Lets a queue run, or pauses it (SET_VRING_ENABLE). */
  enable(queue: FrontendQueue, isEnabled: boolean): void {
    if ((this.features & VHOST_USER_F_PROTOCOL_FEATURES) === 0n) return
    this.send('SET_VRING_ENABLE', { index: queue.index, num: isEnabled ? 1 : 0 })
  }

  /** Stops a queue. @returns the index of the available entry that it would have taken next */
  async getBase({ index }: FrontendQueue): Promise<number> {
    const { payload } = await this.call('GET_VRING_BASE', { index, num: 0 })
    return payload.num
  }

  /** Reads the configuration space. @returns null where the device has no such bytes */
  async getConfig(offset: number, length: number): Promise<Uint8Array | null> {
    const bytes = new Uint8Array(length)
    const { payload } = await this.call('GET_CONFIG', { offset, flags: 0, bytes })
    return payload === null ? null : payload.bytes
  }

  /** Writes the configuration space. @throws Error: the backend refuses it */
  async setConfig(offset: number, bytes: Uint8Array, flags = 0): Promise<void> {
    await this.ask('SET_CONFIG', { offset, flags, bytes })
  }

  /** Asks for memory in which the backend keeps what is under way. */
  async getInflight(queueSize: number): Promise<void> {
    const asked = { size: 0, offset: 0, queues: this.queues.length, queueSize }
    const { payload, descriptors } = await this.call('GET_INFLIGHT_FD', asked)
    const fd = descriptors.take(0)
    if (fd === null || payload.size === 0) throw new Error('The backend gives no inflight memory')
    this.inflight?.area.close()
    const area = new MappedFile(fd, payload.size, payload.offset)
    this.inflight = { area, description: { ...payload, queues: asked.queues, queueSize } }
  }

  /** Gives that memory back to the backend, which may be another process by now. */
  setInflight(): void {
    if (this.inflight === null) return
    const { area, description } = this.inflight
    this.send('SET_INFLIGHT_FD', description, [area.fd])
  }

  /** Gives the backend a dirty log for guest addresses below `end`, and an event for it. */
  async setLog(end: number): Promise<MappedFile> {
    const size = Math.ceil(end / 4096 / 8 / 4096) * 4096
    const area = new MappedFile(memoryFile('dirty-log', size), size)
    this.log?.close()
    this.log = area
    await this.call('SET_LOG_BASE', { size, offset: 0 }, [area.fd])
    return area
  }

  /** Tells whether the log says that something wrote there, and forgets it. */
  takeDirty(address: number): boolean {
    const page = Math.floor(address / 4096)
    const byte = this.log?.at(Math.floor(page / 8), 1)
    if (byte === undefined) return false
    const bit = 1 << (page % 8)
    const isDirty = ((byte[0] as number) & bit) !== 0
    byte[0] = (byte[0] as number) & ~bit
    return isDirty
  }

  /** Sets the device's status byte (STATUS). @param status - from 0 to 255 */
  async setStatus(status: number): Promise<void> {
    await this.ask('SET_STATUS', BigInt(status))
  }

  /** Asks for it. */
  async getStatus(): Promise<number> {
    return Number((await this.call('GET_STATUS', null)).payload)
  }

  /** From now on the requests go to another connection. */
  protected replaceConnection(fd: number): void {
    this.caller.close()
    this.#channel?.close()
    this.#channel = null
    this.caller = new Caller(fd, 'frontend')
  }

  /** Closes the connections and what was shared. */
  protected async closeSteps(): Promise<void> {
    this.caller.close()
    this.#channel?.close()
    await Promise.all([this.caller.ended, this.#channel?.ended])
    this.inflight?.area.close()
    this.log?.close()
  }

  #answer(message: Message<'backend'>): void {
    if (message.request === 'CONFIG_CHANGE_MSG') {
      this.configChanges++
      for (const listener of this.#changeListeners.splice(0)) listener()
    }
    if (message.needsReply) this.#channel?.reply(message.request, 0n)
  }
}

function described({ guest, size, user, area }: FrontendRegion): PayloadOf<'ADD_MEM_REG'> {
  return { guest, size, user, offset: area.offset }
}
