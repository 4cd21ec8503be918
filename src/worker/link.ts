/**
 * A thread of ours, from its owner's side: Node's `Worker`, the port to it, and its row. A thread is
 * made for a worker, or ahead of time as a spare (`spares.ts`); either way it becomes a worker by one
 * message, `adopt`, so that both ways are one.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { invalid, UserWorkerError } from '../errors.js'
import { setThreadName, visibleName } from '../os/proc.js'
import {
  drain,
  MessageChannel,
  startThreadPool,
  Worker,
  type MessagePort,
  type SHARE_ENV,
  type TransferListItem,
} from '../os/thread.js'
import { ask, askToPark, nominate, wake, type ParkOutcome, type Request } from './control.js'
import { beginning } from './beginning.js'
import { asError } from './error-report.js'
import { withOwnEnvironment } from './inherit.js'
import { notMade } from './exit.js'
import type { CheckedOptions, ThreadOptions } from './options.js'
import { spareName, type Boot, type Identity, type ToOwner, type ToThread } from './protocol.js'
import { after } from './state.js'
import type { Scope } from './scope.js'
import { at, Field, releaseTree, table } from './table.js'

/** Who hears what happens to a thread. */
export interface Ear {
  hear(message: ToOwner): void
  /** Node's 'error' event: the thread ends by an error. */
  failed(error: Error): void
  /**
   * Node's 'exit' event: the thread is gone, and has said everything. Its row is freed right after
   * this.
   */
  exited(nodeCode: number): void
}

/** What a thread is to become. */
export interface Adoption {
  readonly identity: Identity
  readonly transfer: readonly TransferListItem[]
}

/** How a thread is to be made. */
export interface ThreadPlan {
  readonly name: string
  readonly options: ThreadOptions
  /** Whose the worker is to be. */
  readonly scope: Scope
  /** Null for a spare. */
  readonly adoption: Adoption | null
}

export class Link {
  readonly words: Words = table()
  readonly row: number
  readonly thread: Worker
  /** Rouses a thread that blocks where it sees no words and no messages come. */
  bell: () => void = () => {}
  readonly #port: MessagePort
  #ear: Ear
  #scope: Scope

  /**
   * Makes a thread.
   *
   * @throws what `Scope.claim` throws, and what {@link creationFailure} makes of Node's refusal; with
   * nothing left
   */
  constructor(ear: Ear, { name, options, scope, adoption }: ThreadPlan) {
    this.#ear = ear
    this.#scope = scope
    this.row = scope.claim()
    const { port1, port2 } = new MessageChannel()
    const { entry, ...nodeOptions } = options
    this.#port = port1
    try {
      // Sent before there is a thread: what cannot be cloned costs none.
      if (adoption !== null) this.#adopt(adoption)
      const boot: Boot = { port: port2, row: this.row, spare: adoption === null }
      startThreadPool()
      const make = (env: ThreadOptions['env']): Worker =>
        new Worker(beginning(entry), {
          ...nodeOptions,
          ...(env === undefined ? {} : { env }),
          name,
          workerData: boot,
          transferList: [port2],
        })
      this.thread = options.env === undefined ? withOwnEnvironment(make) : make(options.env)
    } catch (error) {
      port1.close()
      releaseTree(this.words, this.row)
      throw creationFailure(name, error)
    }
    this.thread.unref()
    this.thread.on('error', (error: unknown) => this.#ear.failed(asError(error)))
    this.thread.once('exit', (nodeCode) => this.#exited(nodeCode))
    this.#port.on('message', (message: ToOwner) => this.#ear.hear(message))
    this.#port.unref()
  }

  /**
   * Makes a booted spare a worker.
   *
   * @returns false when the spare has ended
   * @throws UserWorkerError ERR_NOT_CLONEABLE, or what `Scope.take` throws: then it is still a spare
   */
  adopt(ear: Ear, adoption: Adoption, scope: Scope): boolean {
    scope.take(this.row, this.#scope)
    if (!nominate(this.words, this.row)) return false
    // By the owner, who need not wait until the thread has woken up; and before the message, so that
    // nothing of the worker's runs under another name.
    this.#show(adoption.identity.name)
    try {
      this.#adopt(adoption)
    } catch (error) {
      this.#show(spareName)
      this.#scope.takeBack(this.row)
      throw error
    }
    this.#ear = ear
    this.#scope = scope
    return true
  }

  /** See `ask` in `control.ts`. @returns the control word that the request was judged by */
  ask(request: Request): number {
    const word = ask(this.words, this.row, request)
    // What changes nothing was asked before, and the message sent with it.
    if (after(word, request) !== null) this.look()
    return word
  }

  /** See `askToPark` in `control.ts`. */
  askToPark(): ParkOutcome {
    const outcome = askToPark(this.words, this.row)
    if (outcome === 'asked' || outcome === 'parked') this.look()
    return outcome
  }

  /** See `wake` in `control.ts`. */
  wake(): void {
    if (wake(this.words, this.row)) this.look()
  }

  /** Gives the thread a name for the operating system. */
  #show(name: string): void {
    const tid = memory.load(this.words, at(this.row, Field.OS_THREAD))
    if (tid !== 0) setThreadName(tid, visibleName(name))
  }

  /** The thread may sleep in its event loop, where it sees no words. */
  look(): void {
    const look: ToThread = { type: 'look' }
    this.#port.postMessage(look)
    this.bell()
  }

  /** @throws UserWorkerError ERR_NOT_CLONEABLE: whatever cloning threw, Node or code in the data */
  #adopt({ identity, transfer }: Adoption): void {
    const message: ToThread = { type: 'adopt', identity }
    try {
      this.#port.postMessage(message, transfer)
    } catch (error) {
      const cause = asError(error)
      const text = `The data of worker '${identity.name}' cannot be sent to a thread: ${cause.message}`
      throw new UserWorkerError('ERR_NOT_CLONEABLE', text, { cause })
    }
  }

  #exited(nodeCode: number): void {
    drain(this.#port, (message) => this.#ear.hear(message as ToOwner))
    this.#port.close()
    try {
      this.#ear.exited(nodeCode)
    } finally {
      releaseTree(this.words, this.row)
    }
  }
}

/** What the thread is to become: a spare was born without the environment it is to have. */
export function adoptionOf(options: CheckedOptions, from: 'thread' | 'spare'): Adoption {
  const { name, module, preload, data, nice, transfer, thread } = options
  const env = from === 'spare' ? environment(thread.env ?? process.env) : null
  const identity = { name, module, preload, data, nice, argv: thread.argv ?? [], env }
  return { identity, transfer }
}

/**
 * As Node makes a thread's environment of an object: every value is a string.
 *
 * @throws TypeError EINVAL: a value is not to be had, or is no string in the making
 */
function environment(env: NodeJS.ProcessEnv | typeof SHARE_ENV): Record<string, string> | null {
  if (typeof env === 'symbol') return null
  try {
    return Object.fromEntries(Object.entries(env).map(([key, value]) => [key, `${value}`]))
  } catch (error) {
    const cause = asError(error)
    throw Object.assign(invalid(`env cannot be read: ${cause.message}`), { cause })
  }
}

/** The error for what was thrown instead of making a thread. */
function creationFailure(name: string, thrown: unknown): Error {
  // The data was not sent: see `#adopt`.
  if (thrown instanceof UserWorkerError) return thrown
  const cause = asError(thrown) as Error & { code?: unknown }
  // ERR_ACCESS_DENIED: Node's permission model makes no threads.
  if (cause.code === 'ERR_WORKER_INIT_FAILED' || cause.code === 'ERR_ACCESS_DENIED') {
    return notMade(name, cause)
  }
  const refusal = invalid(`Node refused the options of worker '${name}': ${cause.message}`)
  return Object.assign(refusal, { cause })
}
