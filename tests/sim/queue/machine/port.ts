/**
 * Message ports of simulated threads: what is sent is copied at once, and made anew in the realm of who
 * takes it.
 *
 * @module
 */
import { AsyncResource } from 'node:async_hooks'
import { types } from 'node:util'
import { Copier, own } from './clone.js'
import type { Call, Inlet } from './loop.js'
import type { Intrinsics } from './realm.js'

/** Who has a port. */
export interface Holder {
  readonly intrinsics: Intrinsics
  readonly inlets: Set<Inlet>
  /** Throws in a thread that has died. */
  check(): void
}

/** A message on its way. */
interface Packet {
  readonly value: unknown
  readonly moved: ReadonlyMap<object, unknown>
}

type Listener = (value: unknown) => void

export class Port implements Inlet {
  #holder: Holder | null
  #other: Port | null = null
  readonly #packets: Packet[] = []
  readonly #listeners: { type: string; listener: Listener; once: boolean }[] = []
  readonly #resource = new AsyncResource('SimulatedPort', { requireManualDestroy: true })

  private constructor(holder: Holder) {
    this.#holder = holder
  }

  static pair(holder: Holder): { port1: Port; port2: Port } {
    const [port1, port2] = [new Port(holder), new Port(holder)]
    port1.#other = port2
    port2.#other = port1
    return { port1, port2 }
  }

  get length(): number {
    return this.#packets.length
  }

  /** What has arrived, and was not taken. */
  take(): Call {
    const packet = this.#packets.shift()
    return {
      resource: this.#resource,
      run: () => {
        if (packet !== undefined) this.#emit('message', this.#open(packet))
      },
    }
  }

  /** `receiveMessageOnPort`. */
  receive(): { message: unknown } | undefined {
    this.#holder?.check()
    const packet = this.#packets.shift()
    return packet === undefined ? undefined : this.#box(packet)
  }

  postMessage(value: unknown, transfer: readonly unknown[] = []): void {
    this.#holder?.check()
    const packet = pack(value, transfer, this.#holder)
    if (this.#other !== null) this.#other.#packets.push(packet)
  }

  on(type: string, listener: Listener): this {
    return this.#listen(type, listener, false)
  }

  once(type: string, listener: Listener): this {
    return this.#listen(type, listener, true)
  }

  off(type: string, listener: Listener): this {
    const at = this.#listeners.findIndex((each) => each.type === type && each.listener === listener)
    if (at >= 0) this.#listeners.splice(at, 1)
    return this
  }

  close(): void {
    this.#holder?.inlets.delete(this)
    if (this.#other !== null) this.#other.#other = null
    this.#other = null
  }

  ref(): void {}
  unref(): void {}

  /** It is on its way to another thread. */
  leave(): void {
    this.#holder?.inlets.delete(this)
    this.#holder = null
  }

  /** It has come to a thread. */
  enter(holder: Holder): this {
    this.#holder = holder
    return this
  }

  #listen(type: string, listener: Listener, once: boolean): this {
    this.#holder?.check()
    this.#listeners.push({ type, listener, once })
    if (type === 'message') this.#holder?.inlets.add(this)
    return this
  }

  #emit(type: string, value: unknown): void {
    for (const each of this.#listeners.slice()) {
      if (each.type !== type) continue
      if (each.once) this.off(type, each.listener)
      each.listener.call(this, value)
    }
  }

  #open(packet: Packet): unknown {
    return this.#holder === null ? undefined : open(packet, this.#holder)
  }

  #box(packet: Packet): { message: unknown } {
    return { message: this.#open(packet) }
  }
}

/** @throws in the sender's realm: something cannot be sent */
export function pack(value: unknown, transfer: readonly unknown[], holder: Holder | null): Packet {
  const TheError: ErrorConstructor = holder?.intrinsics.Error ?? Error
  const refuse = (text: string): Error =>
    Object.assign(new TheError(text), { name: 'DataCloneError', code: 25 })
  const moved = new Map<object, unknown>()
  for (const each of transfer) if (each instanceof Port) moved.set(each, each)
  const copy = new Copier(own, withBuffers(moved, transfer), refuse).copy(value)
  for (const each of transfer) {
    if (each instanceof Port) each.leave()
    else if (types.isArrayBuffer(each)) structuredClone(each, { transfer: [each] })
  }
  return { value: copy, moved }
}

/** A port that is in a message, and not in its list, cannot be sent; buffers are copied, then emptied. */
function withBuffers(
  moved: ReadonlyMap<object, unknown>,
  transfer: readonly unknown[],
): ReadonlyMap<object, unknown> {
  for (const each of transfer) {
    if (types.isArrayBuffer(each) && each.byteLength === 0 && isDetached(each)) {
      throw new TypeError('An ArrayBuffer is detached and could not be cloned.')
    }
  }
  return moved
}

function isDetached(buffer: ArrayBuffer): boolean {
  try {
    void new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

/** Makes what was sent anew for who takes it. */
export function open({ value, moved }: Packet, holder: Holder): unknown {
  const arrived = new Map([...moved].map(([port]) => [port, (port as Port).enter(holder)]))
  return new Copier(holder.intrinsics, arrived, (text) => new Error(text)).copy(value)
}
