/**
 * The handlers of a worker's thread, where a child process runs them: each call goes there, and its
 * answer comes back.
 *
 * | state   | holds                                        | left by                                     |
 * | ------- | -------------------------------------------- | ------------------------------------------- |
 * | loading | the process boots, the module loads, set-up  | 'ready'; 'unfit', its end: ended            |
 * | serving | calls go there                               | `teardown`; `kill`, its end: ended          |
 * | ending  | no calls are left, it tears down             | its end                                     |
 * | ended   | the process is gone, and was waited for      | nobody                                      |
 *
 * When the child ends by itself the thread ends too, by the same error, with the calls open: so what
 * happens to a dead thread's works happens to a dead child's, and nothing else needs to be done.
 *
 * @module
 */
import type { Duplex, Readable } from 'node:stream'
import { after, nextTurn } from '../../os/clock.js'
import { asError, errorOf, thrownOf, type Companion } from '../../worker/thread-side.js'
import type { Function, Host } from '../host.js'
import type { ChildPlan, ServeData, ToQueue } from '../protocol.js'
import { running } from '../running.js'
import type { Running } from '../running-work.js'
import { Mark } from '../../ring/index.js'
import { Call } from './call.js'
import { Channel } from './channel.js'
import { errorOfDeath, errorOfKill, LastWords, notForked } from './death.js'
import { mayGoOn } from './lifeline.js'
import { passedOn } from './passing.js'
import type { ToChild, ToThread } from './protocol.js'
import { refusalOf } from './refusal.js'
import { spawnChild, type Spawned } from './spawn.js'
import { encode, notCarried, whatIsShared } from './values.js'

/**
 * What a child has written before its end is there at its end; only if a process of its own still
 * holds one of its outputs is that not closed, and then nobody waits longer than this.
 */
const lastWordsMs = 100

/** Whom a child process concerns: its thread, and the owner of that. */
export interface Around {
  tell(message: ToQueue): void
  /** It stands still, as it was told to. */
  stood(): void
}

export class ChildProcess implements Host, Companion {
  readonly companion = this
  /** Settled by the child's end, unless that was asked for. */
  readonly died: Promise<never>
  readonly #data: ServeData
  readonly #name: string
  readonly #plan: ChildPlan
  readonly #around: Around
  readonly #calls = new Map<number, Call>()
  /** The numbers of handlers that the child knows, by name. */
  readonly #numbers = new Map<string, number>()
  readonly #lastWords = new LastWords()
  /** Settles when the process is gone: with why, or null where it has torn down. */
  #ended: Promise<Error | null> | null = null
  #spawned: Spawned | null = null
  #channel: Channel<ToChild, ToThread> | null = null
  #loaded: { resolve(): void; reject(error: Error): void } | null = null
  #die: (error: Error) => void = () => {}
  #uncaught: Error | null = null
  #stopped: { readonly error: Error | null } | null = null
  #isKilled = false
  #lastNumber = 0
  #lastCall = 0
  #heapMb = 0
  #stands: 'no' | 'asked' | 'yes' = 'no'

  constructor(data: ServeData, name: string, plan: ChildPlan, around: Around) {
    this.#data = data
    this.#name = name
    this.#plan = plan
    this.#around = around
    this.died = new Promise((_, reject) => {
      this.#die = reject
    })
    // It may die while nobody listens: while it loads, and while it tears down.
    this.died.catch(() => {})
  }

  async load(): Promise<void> {
    if (this.#isKilled) throw errorOfKill(this.#name)
    const loaded = new Promise<void>((resolve, reject) => {
      this.#loaded = { resolve, reject }
    })
    try {
      this.#spawned = spawnChild(this.#plan)
    } catch (cause) {
      throw notForked(this.#name, asError(cause))
    }
    this.#ended = this.#end(this.#spawned)
    void this.#ended.then((error) => this.#die(error ?? errorOfKill(this.#name)))
    const { child, channel, lifeline, stdout, stderr } = this.#spawned
    lifeline.on('data', () => this.#stood())
    stdout?.on('data', (part: Buffer) => process.stdout.write(part))
    stderr.on('data', (part: Buffer) => this.#passOn(part))
    this.#channel = new Channel(channel, (message) => this.#hear(message))
    const { module, data, recycle } = this.#data
    this.#channel.tell({
      type: 'begin',
      name: this.#name,
      takesStdout: this.#plan.stdout,
      preload: this.#plan.preload,
      module,
      data: encode(data),
      tellsMemory: recycle.heapMb !== null,
    })
    if (child.pid !== undefined) this.#around.tell({ type: 'process', processId: child.pid })
    try {
      await Promise.race([loaded, this.died])
    } catch (error) {
      this.kill()
      await this.#ended
      throw error
    }
  }

  named(name: string): Function {
    let number = this.#numbers.get(name)
    if (number === undefined) {
      number = this.#define(name, null)
      this.#numbers.set(name, number)
    }
    return this.#handler(number)
  }

  inline(source: string, name: string): Function {
    return this.#handler(this.#define(name, source))
  }

  heapMb(): number {
    return this.#heapMb
  }

  kill(): void {
    this.#isKilled = true
    this.#spawned?.child.kill('SIGKILL')
  }

  stand(): boolean {
    if (this.#channel === null) return true
    if (this.#stands === 'no') {
      this.#stands = 'asked'
      this.#tell({ type: 'stand' })
    }
    return this.#stands === 'yes'
  }

  goOn(): void {
    // One that was asked, and does not stand yet, goes on when it has said that it does.
    if (this.#stands !== 'yes') return
    this.#stands = 'no'
    this.#spawned?.lifeline.write(mayGoOn)
  }

  #stood(): void {
    this.#stands = 'yes'
    this.#around.stood()
  }

  async teardown(): Promise<void> {
    this.#tell({ type: 'stop' })
    const error = await this.#ended
    if (error !== null) throw error
  }

  #define(name: string, source: string | null): number {
    const number = ++this.#lastNumber
    this.#tell({ type: 'handler', number, name, source })
    return number
  }

  #tell(message: ToChild): void {
    this.#channel?.tell(message)
  }

  #handler(number: number): Function {
    return (...args) => {
      // Without a work it is a broadcast, whose arguments nobody has looked at.
      const work = (running.getStore() ?? null) as Running | null
      const shared = work === null ? whatIsShared(args) : null
      if (shared !== null) throw notCarried('An argument of a broadcast', shared)
      const carried = passedOn()
      const refusal = work === null ? refusalOf(carried) : null
      if (refusal !== null) throw refusal
      const id = ++this.#lastCall
      const isStream = work !== null && (work.format & Mark.STREAM) !== 0
      this.#tell({
        type: 'call',
        call: id,
        number,
        args: encode(args),
        carried: carried.length === 0 ? null : encode(carried),
        work: work === null ? null : { id: work.id, key: work.key, isStream },
      })
      const call = new Call(id, work, (message) => this.#tell(message))
      this.#calls.set(id, call)
      void call.ended.finally(() => this.#calls.delete(id)).catch(() => {})
      return isStream ? call.items() : call.ended
    }
  }

  #hear(message: ToThread): void {
    switch (message.type) {
      case 'ready':
        this.#loaded?.resolve()
        break
      case 'unfit':
        this.#loaded?.reject(errorOf(message.error))
        break
      case 'done':
      case 'threw':
      case 'progress':
      case 'item':
        this.#calls.get(message.call)?.hear(message)
        break
      case 'no-carrier':
        this.#around.tell(message)
        break
      case 'memory':
        this.#heapMb = message.heapMb
        break
      case 'stopped':
        this.#stopped = { error: message.error === null ? null : asError(thrownOf(message.error)) }
        break
      case 'uncaught':
        this.#uncaught = errorOf(message.error)
    }
  }

  /** The child's standard error is this process's, and V8's last words stand there. */
  #passOn(part: Buffer): void {
    this.#lastWords.hear(part.toString('latin1'))
    process.stderr.write(part)
  }

  /** Resolves when the process is gone and everything it said was heard. */
  async #end({ child, channel, stdout, stderr }: Spawned): Promise<Error | null> {
    const closed = Promise.all([channel, stdout, stderr].map(closeOf))
    const exit = await new Promise<{ code: number | null; signal: string | null } | Error>(
      (resolve) => {
        child.once('error', resolve)
        child.once('exit', (code, signal) => resolve({ code, signal }))
      },
    )
    if (exit instanceof Error) return notForked(this.#name, exit)
    await Promise.race([
      closed,
      // What has come meanwhile is read in the turn after that.
      new Promise<void>((resolve) => void after(lastWordsMs, resolve)).then(nextTurn),
    ])
    if (this.#stopped !== null) return this.#stopped.error
    return errorOfDeath({
      name: this.#name,
      exitCode: exit.code,
      signal: exit.signal,
      uncaught: this.#uncaught,
      fatal: this.#lastWords.found,
    })
  }
}

async function closeOf(stream: Duplex | Readable | null): Promise<void> {
  if (stream === null) return
  await new Promise<void>((resolve) => void stream.once('close', resolve))
}
