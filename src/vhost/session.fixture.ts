/**
 * A server with a backend that keeps a journal, and a frontend that says one message at a time, in any
 * order: for tests of sessions.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { close, event } from '../os/events.js'
import { memoryFile } from '../os/mapping.js'
import { connect } from '../os/sockets.js'
import { until } from '../os/own-thread.fixture.js'
import { FakeBackend } from './backend.fixture.js'
import { Caller } from './caller.js'
import { offeredProtocolFeatures } from './features.js'
import type { PayloadOf, RequestName } from './message.js'
import { Server, type ServerEvent, type ServerOptions } from './server.js'

/** Where the frontend has its memory, which the guest has at 0. */
export const userBase = 0x7f00_0000_0000
export const memoryBytes = 0x100000
export const protocolBit = 1n << 30n
export const logBit = 1n << 26n
/** What Linux takes, with the protocol's bit. */
export const usual = 0x1_2000_0044n | protocolBit

/** What a vring of the size 128 needs. */
export function addressesOf(index: number, flags = 0): PayloadOf<'SET_VRING_ADDR'> {
  const descriptors = userBase + index * 0x10000
  return {
    index,
    flags,
    descriptors,
    available: descriptors + 0x1000,
    used: descriptors + 0x2000,
    log: 0x2000,
  }
}

export const region = { guest: 0, size: memoryBytes, user: userBase, offset: 0 }

/** A server, its device, and what it told. */
export class Served implements AsyncDisposable {
  readonly backend: FakeBackend
  readonly server: Server
  readonly events: ServerEvent[] = []
  readonly path: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'uw-vhost-'))

  constructor(backend = new FakeBackend(), options: Partial<ServerOptions> = {}) {
    this.backend = backend
    this.path = join(this.#folder, 'socket')
    this.server = new Server(backend, {
      socket: this.path,
      onEvent: (told) => this.events.push(told),
      ...options,
    })
  }

  get kinds(): string[] {
    return this.events.map(({ kind }) => kind)
  }

  /** The sentences of the connections that have ended so far. */
  get reasons(): (string | null)[] {
    return this.events.flatMap((told) => (told.kind === 'disconnected' ? [told.reason] : []))
  }

  /** Waits until so many connections are over, with all that they led to. */
  async ended(count = 1): Promise<void> {
    await until('the connections are over', () => this.reasons.length >= count)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close()
    rmSync(this.#folder, { recursive: true, force: true })
    assert.deepEqual(this.backend.violations, [])
  }
}

/** A frontend. It closes what it has sent at once: what arrives has a life of its own. */
export class Peer implements AsyncDisposable {
  readonly caller: Caller<'frontend'>

  constructor(path: string) {
    this.caller = new Caller(connect(path), 'frontend')
  }

  /** One that has agreed on everything, and owns the device. */
  static async ready(path: string, protocol = offeredProtocolFeatures): Promise<Peer> {
    const peer = new Peer(path)
    peer.say('SET_PROTOCOL_FEATURES', protocol)
    peer.say('SET_OWNER', null)
    await peer.sync()
    return peer
  }

  say<Name extends RequestName>(name: Name, payload: PayloadOf<Name>, fds: number[] = []): void {
    try {
      this.caller.send(name, payload, fds)
    } finally {
      for (const fd of fds) close(fd)
    }
  }

  /** Asks whether it was done. @returns 0, or 1 */
  async ask<Name extends RequestName>(
    name: Name,
    payload: PayloadOf<Name>,
    fds: number[] = [],
  ): Promise<number> {
    try {
      return Number((await this.caller.call(name, payload, fds)).payload)
    } finally {
      for (const fd of fds) close(fd)
    }
  }

  /** Waits until all that was said is done. */
  async sync(): Promise<void> {
    await this.caller.call('GET_FEATURES', null)
  }

  async base(index: number): Promise<number> {
    return (await this.caller.call('GET_VRING_BASE', { index, num: 0 })).payload.num
  }

  setMemory(): void {
    this.say('SET_MEM_TABLE', [region], [memoryFile('guest', memoryBytes)])
  }

  kick(index: number): void {
    this.say('SET_VRING_KICK', { index, hasDescriptor: true }, [event()])
  }

  call(index: number): void {
    this.say('SET_VRING_CALL', { index, hasDescriptor: true }, [event()])
  }

  error(index: number): void {
    this.say('SET_VRING_ERR', { index, hasDescriptor: true }, [event()])
  }

  enable(index: number, num = 1): void {
    this.say('SET_VRING_ENABLE', { index, num })
  }

  /** All that a vring needs but to be kicked and enabled. */
  lay(index: number, base = 0): void {
    this.say('SET_VRING_NUM', { index, num: 128 })
    this.say('SET_VRING_BASE', { index, num: base })
    this.say('SET_VRING_ADDR', addressesOf(index))
  }

  /** A vring that runs. */
  async start(index = 0): Promise<void> {
    this.say('SET_FEATURES', usual)
    this.setMemory()
    this.lay(index)
    this.kick(index)
    this.call(index)
    this.enable(index)
    await this.sync()
  }

  /** Waits until the backend has ended the connection. */
  async refused(): Promise<void> {
    assert.equal(await this.caller.ended, null)
  }

  async close(): Promise<void> {
    this.caller.close()
    await this.caller.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** How many files of shared memory this process has mapped. */
export function sharedMappings(): number {
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return maps.filter((line) => line.includes('/memfd:')).length
}
