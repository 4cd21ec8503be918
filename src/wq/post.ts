/**
 * What a queue's worker reads and writes beside its slots: blocks of shared bytes, messages, and the
 * definitions that go before a reference.
 *
 * @module
 */
import { Restorer, type Registered } from '../carry/index.js'
import { receiveNext, type MessagePort, type TransferListItem } from '../os/thread.js'
import {
  Chunks,
  Form,
  formOf,
  Mark,
  mostBlockBytes,
  pack,
  read,
  readPlace,
  readSmall,
  ResultArena,
  write,
  writePlace,
  writeSmallOne,
  type ClassMemory,
  type Completions,
} from '../ring/index.js'
import { reportOf, type ErrorReport } from '../worker/thread-side.js'
import { Announced, notReadable, postAnnounced } from './announced.js'
import type { ToQueue, ToServer } from './protocol.js'
import { notSent } from './not-sent.js'
import { transfers } from './running.js'
import { SharedBuffers } from './numbered-buffers.js'

/** A call that never finds what it waits for would hang: what it waits for was sent before. */
const mostMessages = 1_000_000

export class Post {
  readonly completions: Completions
  /** What the owner's works carry. */
  readonly restorer: Restorer
  readonly #port: MessagePort
  readonly #results: ResultArena
  readonly #chunks = new Chunks()
  readonly #shared: SharedBuffers
  readonly #hear: (message: ToServer) => void
  readonly #argumentsUnreadable: () => void
  readonly #announced = new Announced()

  /**
   * @param argumentsUnreadable - the arguments that come next were sent, and cannot be read
   * @param find - where the carriers of what works carry are, if not in this thread
   */
  constructor(
    port: MessagePort,
    completions: Completions,
    hear: (message: ToServer) => void,
    argumentsUnreadable: () => void,
    find?: (name: string) => Registered,
  ) {
    this.restorer = new Restorer(
      (isThere) => this.receive(isThere),
      (name) => this.tell({ type: 'no-carrier', name }),
      find,
    )
    this.#port = port
    this.completions = completions
    this.#hear = hear
    this.#argumentsUnreadable = argumentsUnreadable
    this.#shared = SharedBuffers.ofOther()
    this.#results = new ResultArena(completions, (number, buffer) =>
      this.tell({ type: 'chunk', number, buffer }),
    )
    port.on('message', (message: ToServer) => this.#take(message))
    port.on('messageerror', () => this.#unreadable())
  }

  tell(message: ToQueue, transfer: readonly TransferListItem[] = []): void {
    postAnnounced(this.#port, message, transfer)
  }

  /**
   * Sends a message with a value of a handler's.
   *
   * @param what - what the value is, for the error
   * @throws UserWorkerError ERR_NOT_CLONEABLE
   */
  tellValue(message: ToQueue & { readonly value: unknown }, what: string): void {
    try {
      this.tell(message)
    } catch (cause) {
      throw notSent(what, message.value, cause)
    }
  }

  /** Hears messages, now, until `isThere`. */
  receive(isThere: () => boolean): void {
    for (let count = 0; count < mostMessages && !isThere(); count++) {
      const next = receiveNext(this.#port)
      if (next === null) return
      if ('message' in next) this.#take(next.message as ToServer)
      else this.#unreadable()
    }
  }

  readArguments(from: ClassMemory, slot: number, format: number): readonly unknown[] {
    if (formOf(format) === Form.SMALL) return readSmall(from, slot, format)
    const { chunk, at, length } = readPlace(from, slot)
    this.receive(() => this.#chunks.get(chunk) !== undefined)
    return read(this.#chunks.get(chunk) as Buffer, at, length, this.#bufferOf)
  }

  /** Writes a result to where the owner finds it. @returns the slot's format */
  writeResult(to: ClassMemory, slot: number, value: unknown): number {
    const small = writeSmallOne(to, slot, value)
    if (small >= 0) return small
    try {
      const packed =
        transferOf(value) !== undefined ? null : pack([value], mostBlockBytes, this.#shared)
      if (packed !== null && this.#results.take(packed.byteLength)) {
        const { bytes, chunk, at } = this.#results
        write(packed, bytes, at)
        writePlace(to, slot, chunk, at, packed.byteLength)
        return Form.PACKED
      }
    } catch (cause) {
      return this.#sendNotSent(value, cause)
    }
    return this.sendResult(value)
  }

  /** Sends a result by message, behind those before. @returns the slot's format */
  sendResult(value: unknown): number {
    try {
      this.tell({ type: 'value', value }, transferOf(value))
    } catch (cause) {
      return this.#sendNotSent(value, cause)
    }
    return Form.MESSAGE
  }

  #sendNotSent(value: unknown, cause: unknown): number {
    return this.sendError(reportOf(notSent('The result of a work', value, cause)))
  }

  /** Sends what was thrown. @returns the slot's format */
  sendError(error: ErrorReport): number {
    this.tell({ type: 'threw', error })
    return Form.MESSAGE | Mark.FAILED
  }

  readonly #bufferOf = {
    bufferOf: (number: number): SharedArrayBuffer => {
      this.receive(() => this.#shared.get(number) !== undefined)
      return this.#shared.get(number) as SharedArrayBuffer
    },
  }

  /** A message came that cannot be read. */
  #unreadable(): void {
    const whose = this.#announced.unreadable()
    if (whose === null) this.#argumentsUnreadable()
    else if ('call' in whose) {
      const error = reportOf(notReadable('An argument of a broadcast'))
      this.tell({ type: 'broadcast-failed', call: whose.call, error })
    }
  }

  #take(message: ToServer): void {
    this.#announced.heard(message)
    switch (message.type) {
      case 'chunk':
        this.#chunks.add(message.number, message.buffer)
        break
      case 'share':
        this.#shared.add(message.number, message.buffer)
        break
      case 'context':
        if (message.items === null) this.restorer.drop(message.number)
        else this.restorer.define(message.number, message.items)
        break
      case 'unshare':
        this.#shared.remove(message.number)
        break
      case 'next':
        break
      case 'abort':
      case 'args':
      case 'broadcast':
      case 'credit':
      case 'handler':
      case 'kill':
      case 'no-args':
        this.#hear(message)
    }
  }
}

/** What a handler has asked to be moved in its result. */
function transferOf(value: unknown): readonly TransferListItem[] | undefined {
  return typeof value === 'object' && value !== null ? transfers.get(value) : undefined
}
