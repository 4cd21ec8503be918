/**
 * `loop(fn)`: a worker whose function does one batch of what there is to do. The loop around it, its
 * sleep and its signal points are the library's, as a vhost task's are the kernel's (VH-23).
 *
 * @module
 */
import { invalid } from '../errors.js'
import { nextTurn, now } from '../os/clock.js'
import { checkOptions } from '../validate.js'
import { KILLED } from './exit.js'
import type { OnOwnerKill } from './protocol.js'
import type { OwnSelf, Self } from './self.js'
import { builtin } from '../os/builtin.js'

const { inspect } = builtin('node:util')

/**
 * One batch: does what there is to do, and says whether that was anything.
 *
 * @returns true: call again at once; false: sleep until the next wake
 */
export type Batch<Data = never> = (data: Data, self: Self) => boolean | Promise<boolean>

/** A batch function, marked as one. */
export type Loop<Data = never> = Batch<Data> & { readonly [isLoop]: CheckedLoop }

/** What a loop does when an owner above its worker is killed. */
export interface LoopOptions {
  /**
   * `end` (the default): its thread is ended at once. `die`: the loop ends after the batch that runs,
   * with exit code -9, and `onKill` before it; its thread is ended by force a second later. `linger`:
   * it goes on until it is stopped, for those who still need it to clean up (VH-25).
   */
  onOwnerKill?: OnOwnerKill
  /** Called when the loop is to die; awaited. Given alone it means `onOwnerKill: 'die'`. */
  onKill?: () => void | Promise<void>
  /**
   * How the thread sleeps after a batch that found nothing, for loops that wait for what only the system
   * tells of, descriptors say. It returns, or resolves, no later than after a call of the worker's option
   * `bell`, and at any time before. Default: it sleeps until a wake.
   */
  sleep?: (self: Self) => void | Promise<void>
}

/** The options after checking. */
type CheckedLoop = Required<Omit<LoopOptions, 'sleep'>> & Pick<LoopOptions, 'sleep'>

/** The mark is known by name, so that a module may take `loop` from another copy of the library. */
const isLoop: unique symbol = Symbol.for('userworker.loop') as never

/**
 * Declares that a worker's function is one batch, to be called again and again: at once while it
 * answers true, after a `wake` when it answered false. A wake at any time, also in the middle of a
 * batch, is followed by a batch that begins after it: no wake is lost (VH-13).
 *
 * A stop ends the loop between two batches with exit code 0, a park halts it there, and an error
 * thrown by a batch ends it with code 1.
 *
 * @example
 * ```ts
 * export default loop((data: { inbox: Inbox }) => {
 *   const letters = data.inbox.takeAll()
 *   for (const letter of letters) answer(letter)
 *   return letters.length > 0
 * })
 * ```
 *
 * @throws TypeError EINVAL: `batch` is no function, or an option is wrong
 */
export function loop<Data = never>(batch: Batch<Data>, options: LoopOptions = {}): Loop<Data> {
  if (typeof batch !== 'function') {
    throw invalid(`loop: the batch must be a function, not ${inspect(batch, { depth: 0 })}`)
  }
  const marked: Batch<Data> = (data, self) => batch(data, self)
  return Object.defineProperty(marked, isLoop, { value: checkLoop(options) }) as Loop<Data>
}

const onOwnerKills: readonly unknown[] = ['end', 'die', 'linger'] satisfies OnOwnerKill[]

function checkLoop(options: LoopOptions): CheckedLoop {
  checkOptions('loop', options, ['onOwnerKill', 'onKill', 'sleep'])
  const { onKill, sleep, onOwnerKill = onKill === undefined ? 'end' : 'die' } = options
  if (!onOwnerKills.includes(onOwnerKill)) {
    throw invalid(`loop: onOwnerKill must be one of ${onOwnerKills.join(', ')}`)
  }
  if (onKill !== undefined && (typeof onKill !== 'function' || onOwnerKill !== 'die')) {
    throw invalid("loop: onKill must be a function, and goes with onOwnerKill: 'die' alone")
  }
  if (sleep !== undefined && typeof sleep !== 'function') {
    throw invalid('loop: sleep must be a function')
  }
  return { onOwnerKill, onKill: onKill ?? (() => {}), ...(sleep && { sleep }) }
}

/** Whether a function was declared by {@link loop}. */
export function isLoopFunction(run: object): run is Loop<unknown> {
  return isLoop in run
}

/** What a worker's function does when an owner above it is killed. */
export function onOwnerKillOf(run: object): OnOwnerKill {
  return isLoopFunction(run) ? run[isLoop].onOwnerKill : 'end'
}

/**
 * A thread whose batches find something each time turns its event loop this often, so that messages
 * and timers of its module, and `self.signal`, are not forgotten.
 */
const turnEveryMs = 5

/**
 * After a batch that found nothing the thread blocks this long, in which a wake takes some 20 µs and
 * costs no message; then it sleeps in its event loop.
 */
const blockedMs = 5

/** Runs batches until a stop (VH-13), or until it is to die. @returns the exit code */
export async function runLoop(batch: Loop<unknown>, data: unknown, self: OwnSelf): Promise<number> {
  const { onOwnerKill, onKill, sleep } = batch[isLoop]
  const run = batch as (data: unknown, self: Self) => boolean | Promise<boolean>
  let turned = now()
  for (;;) {
    // (a) signals; (b) from here on each wake is heard; (c) its owner's end, which beats a stop; (d) stop;
    // (e) a batch; (f) sleep.
    self.checkpoint()
    const heard = self.listen()
    // Asked first: of a kill and a stop after it, whoever has seen the second sees both.
    const isToStop = self.shouldStop()
    if (onOwnerKill === 'die' && self.shouldDie()) {
      await onKill()
      return KILLED
    }
    if (isToStop) return 0
    const answer = run(data, self)
    const didWork = typeof answer === 'boolean' ? answer : await answer
    if (typeof didWork !== 'boolean') {
      throw invalid(
        `The batch function of worker '${self.name}' returned ${inspect(didWork, { depth: 0 })}. ` +
          'It must return whether it did any work: true or false',
      )
    }
    // Not between a wake and its batch: a turn takes time.
    if (now() - turned >= turnEveryMs) {
      await nextTurn()
      turned = now()
    }
    if (didWork) continue
    if (sleep === undefined) {
      if (await self.idle(heard, blockedMs)) turned = now()
    } else {
      const slept = self.sleepBy(heard, sleep)
      if (slept !== undefined) await slept
    }
  }
}
