/**
 * `VhostWorker`: a thread that serves the vrings of devices.
 *
 * @module
 */
import { inspect } from 'node:util'
import { invalid, UserWorkerError } from '../../errors.js'
import type { UserWorker, UserWorkerOptions } from '../../worker/index.js'
import { checkOptions } from '../../validate.js'
import { Reins } from './reins.js'

/** How a vhost worker is to be made. */
export interface VhostWorkerOptions extends Pick<
  UserWorkerOptions,
  | 'owner'
  | 'nice'
  | 'cpus'
  | 'clean'
  | 'env'
  | 'execArgv'
  | 'preload'
  | 'resourceLimits'
  | 'signal'
  | 'loadDeadlineMs'
> {
  /** What the system shows as `uw:<name>`. Default: `vhost`. */
  name?: string
  /**
   * What becomes of it when an owner above is killed. `die` (default): it ends after the requests that
   * it has in hand; what is queued later is refused (VH-26, VH-27). `linger`: it goes on until it is
   * freed, so that devices can still be stopped in good order (VH-25).
   */
  onOwnerKill?: 'die' | 'linger'
}

const known = [
  'name',
  'owner',
  'nice',
  'cpus',
  'clean',
  'env',
  'execArgv',
  'preload',
  'resourceLimits',
  'signal',
  'loadDeadlineMs',
  'onOwnerKill',
] as const satisfies readonly (keyof VhostWorkerOptions)[]

/** Each is a module of its own: a thread's answer to a kill is known before it runs. */
const modules = {
  die: new URL('./vring-die.js', import.meta.url),
  linger: new URL('./vring-linger.js', import.meta.url),
}

/** Sees into a worker: for this folder's neighbours. */
let reinsIn: (worker: VhostWorker) => Reins

/**
 * A thread that serves the vrings of devices; it belongs to the thread that made it. Several devices
 * may share one, and one device may use several: see `attach` of a served device.
 */
export class VhostWorker {
  readonly #reins: Reins

  static {
    reinsIn = (worker) => worker.#reins
  }

  private constructor(reins: Reins) {
    if (!(reins instanceof Reins)) {
      throw invalid('A vhost worker is not made by `new`: use await VhostWorker.create(options)')
    }
    this.#reins = reins
  }

  /**
   * Makes a worker (VH-30).
   *
   * @throws TypeError EINVAL: an option is wrong
   * @throws UserWorkerError ENOTSUP: this is no Linux, or the package `koffi` is not installed
   * @throws UserWorkerError what `UserWorker.create` throws; EAGAIN where a limit of its owner is reached
   */
  static async create(options: VhostWorkerOptions = {}): Promise<VhostWorker> {
    checkOptions('VhostWorker.create', options, known)
    const { name = 'vhost', onOwnerKill = 'die', ...others } = options
    if (!Object.hasOwn(modules, onOwnerKill)) {
      throw invalid("VhostWorker.create: onOwnerKill must be 'die' or 'linger'")
    }
    return new VhostWorker(await Reins.create(modules[onOwnerKill], name, others))
  }

  /** Its name. */
  get name(): string {
    return this.thread.name
  }

  /** The number of its thread in this process. */
  get id(): number {
    return this.thread.id
  }

  /**
   * Its thread: to be frozen, described, killed. A kill leaves open what devices have opened in it; to end
   * it in good order, use {@link free}.
   */
  get thread(): UserWorker {
    return this.#reins.thread
  }

  /** How many devices use it. */
  get devices(): number {
    return this.#reins.riders
  }

  /**
   * Waits until all that was queued before this has run: kicks that were heard, and changes that were
   * asked for (VH-15). Of a worker that has ended nothing runs any more, and this resolves at once.
   */
  async flush(): Promise<void> {
    await this.#reins.flush()
  }

  /**
   * Ends it (VH-31): what was queued runs first.
   *
   * @throws UserWorkerError EBUSY: a device uses it
   * @throws UserWorkerError ENODEV: it has ended
   */
  async free(): Promise<void> {
    checkLives(this)
    if (this.devices > 0) {
      const text = `Vhost worker '${this.name}' is used by ${this.devices} devices: close them first`
      throw new UserWorkerError('EBUSY', text)
    }
    await this.flush()
    await this.thread.stop()
  }

  /** {@link free}, for `await using`; one that has ended is left as it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.thread.exitCode === null) await this.free()
  }

  [inspect.custom](): string {
    const { name, id, devices } = this
    return `VhostWorker ${inspect({ name, id, devices, state: this.thread.state })}`
  }
}

/** @throws UserWorkerError ENODEV: it has ended */
export function checkLives({ name, thread }: VhostWorker): void {
  if (thread.exitCode === null) return
  throw new UserWorkerError('ENODEV', `Vhost worker '${name}' has ended`)
}

/** What drives a worker. */
export function reinsOf(worker: VhostWorker): Reins {
  return reinsIn(worker)
}
