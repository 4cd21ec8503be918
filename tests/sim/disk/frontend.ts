/**
 * The frontend's end of a connection: what it says, and what it is answered, by the table.
 *
 * @module
 */
import { closeSync } from 'node:fs'
import { built } from '../built.js'
import type { SocketThing, System, Thing } from './system.js'
import type { Said, Table, Verdict } from './table.js'

const { decodeHeader, decodeReply, encodeRequest, hasReply, headerBytes } =
  await built<typeof import('../../../src/vhost/message.js')>('vhost/message.js')

/** An answer that is due. */
interface Due {
  readonly name: string
  /** Whether it is its own reply; else it was asked for, and this is it. */
  readonly acknowledged: 0n | 1n | null
  /** @returns what is wrong with it */
  readonly check: (payload: unknown, things: readonly (Thing | number)[]) => string | null
}

/** How a request is said. */
export interface Saying {
  readonly things?: readonly (Thing | number)[]
  readonly needReply?: boolean
  /** Whether it cannot be done, for reasons of the system. */
  readonly fails?: boolean
  readonly check?: Due['check']
}

export class FrontendEnd {
  readonly socket: SocketThing
  readonly table: Table
  readonly due: Due[] = []
  /** Whether something was said after which the connection ends. */
  isToEnd = false
  /** Whether the backend has lost a thread, or all: it answers as it can, until it closes. */
  isLost = false
  /** Whether the backend has closed it. */
  isOver = false
  readonly #system: System
  readonly #diverge: (what: string) => void
  #bytes: Uint8Array = new Uint8Array()
  #things: (Thing | number)[] = []

  constructor(system: System, socket: SocketThing, table: Table, diverge: (what: string) => void) {
    this.#system = system
    this.socket = socket
    this.table = table
    this.#diverge = diverge
  }

  /** Whether all that was said is answered. */
  get isQuiet(): boolean {
    return this.due.length === 0 && !this.isToEnd
  }

  /** @returns what the table says becomes of it */
  say(said: Said, saying: Saying = {}): Verdict {
    const { things = [], fails = false, check = () => null } = saying
    const { name, payload } = said
    const asks = saying.needReply ?? this.#system.chance(60)
    const bytes = encodeRequest('frontend', name as 'SET_OWNER', payload as null, asks)
    this.#system.note(`say ${name} ${described(payload)}`)
    const verdict = this.isToEnd ? 'end' : this.table.judge(said, fails)
    this.#send(bytes, things)
    if (this.isToEnd) return 'end'
    const isOwn = hasReply('frontend', name)
    const isAnswered = !isOwn && asks && this.table.speaks('REPLY_ACK')
    const passes = name === 'SET_CONFIG' && verdict === 'refused'
    if (verdict === 'end' || (verdict === 'refused' && !isAnswered && !passes)) this.isToEnd = true
    else if (isOwn) this.due.push({ name, acknowledged: null, check })
    else if (isAnswered) this.due.push({ name, acknowledged: verdict === 'done' ? 0n : 1n, check })
    return verdict
  }

  /** Says what is no message: the connection is to end. */
  sayRaw(bytes: Uint8Array, things: readonly (Thing | number)[] = []): void {
    this.#system.note(`say ${bytes.length} bytes`)
    this.#send(bytes, things)
    this.isToEnd = true
  }

  /** Closes it, behind so many bytes of a message. */
  cut(said: Said | null): void {
    if (said !== null) {
      const bytes = encodeRequest('frontend', said.name as 'SET_OWNER', said.payload as null)
      this.#send(bytes.subarray(0, this.#system.below(bytes.length)), [])
    }
    this.#system.note('cut')
    this.socket.isClosed = true
    this.isOver = true
    this.due.length = 0
    closeAll(this.#things)
  }

  /** Whether there is something to hear. */
  get isReadable(): boolean {
    return !this.isOver && this.socket.isReadable
  }

  hear(): void {
    const parcel = this.socket.receive(Infinity)
    if (parcel === null) return
    if (parcel.bytes.length === 0) return this.#ended()
    this.#bytes = joined(this.#bytes, parcel.bytes)
    this.#things.push(...parcel.things)
    for (;;) {
      if (this.#bytes.length < headerBytes) return
      const header = decodeHeader(this.#bytes)
      const end = headerBytes + header.size
      if (this.#bytes.length < end) return
      this.#answered(this.#bytes.slice(headerBytes, end), header)
      this.#bytes = this.#bytes.slice(end)
    }
  }

  #answered(payload: Uint8Array, header: ReturnType<typeof decodeHeader>): void {
    const things = this.#things.splice(0)
    const due = this.due.shift()
    if (this.isLost) return closeAll(things)
    if (due === undefined) return this.#diverge(`message ${header.number} came, and none was due`)
    const { name, acknowledged } = due
    try {
      const value: unknown = decodeReply('frontend', name as never, header, payload, things.length)
      this.#system.note(`hear ${name} ${described(value)}`)
      if (acknowledged !== null && value !== acknowledged)
        this.#diverge(`${name} was answered by ${String(value)}, not by ${acknowledged}`)
      const wrong = due.check(value, things)
      if (wrong !== null) this.#diverge(`${name}: ${wrong}`)
    } catch (error) {
      this.#diverge(`${name}: ${(error as Error).message}`)
    }
    closeAll(things)
  }

  #ended(): void {
    this.isOver = true
    this.#system.note('the connection is over')
    if (this.isLost) this.due.length = 0
    else if (!this.isToEnd) this.#diverge('the backend closed the connection')
    else if (this.due.length > 0) this.#diverge(`${this.due[0]?.name} was not answered`)
    this.due.length = 0
    this.socket.isClosed = true
  }

  #send(bytes: Uint8Array, things: readonly (Thing | number)[]): void {
    if (this.isOver || this.socket.isHungUp) {
      return closeAll(things)
    }
    this.socket.send(bytes, [...things])
  }
}

function closeAll(things: readonly (Thing | number)[]): void {
  for (const thing of things) if (typeof thing === 'number') closeSync(thing)
}

function described(payload: unknown): string {
  return JSON.stringify(payload, (_, value: unknown) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  )
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const all = new Uint8Array(one.length + other.length)
  all.set(one)
  all.set(other, one.length)
  return all
}
