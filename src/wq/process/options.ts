/**
 * The options of a queue whose handlers run in child processes.
 *
 * @module
 */
import { invalid, UserWorkerError } from '../../errors.js'
import { SHARE_ENV, type WorkerOptions } from '../../os/thread.js'
import type { ChildPlan } from '../protocol.js'

type Limits = NonNullable<WorkerOptions['resourceLimits']>

/** Options of a queue that are checked. */
interface Thread {
  readonly resourceLimits?: Limits
  readonly entry?: unknown
  readonly env?: unknown
  readonly stdout?: boolean
}

/** V8's young generation is three times what its option says: two halves, and as much again. */
const semiSpaces = 3

/** What Node keeps of a thread's stack for itself, in KB; so that a limit means the same here. */
const stackReserveKb = 192

/**
 * Checks `isolation`, and what goes together with it.
 *
 * @returns null where threads run the handlers
 * @throws TypeError EINVAL
 * @throws UserWorkerError ENOTSUP
 */
export function checkIsolation(
  isolation: unknown,
  { resourceLimits = {}, entry, env, stdout = false }: Thread,
  preload: readonly string[],
): ChildPlan | null {
  if (isolation === 'thread') return null
  if (isolation !== 'process') {
    throw invalid(`WorkQueue: isolation must be 'thread' or 'process', not ${String(isolation)}`)
  }
  if (entry !== undefined) {
    const text =
      "WorkQueue: isolation: 'process' needs the library's own files, which a bundle leaves behind: " +
      "keep 'userworker' outside the bundle"
    throw new UserWorkerError('ENOTSUP', text)
  }
  if (env === SHARE_ENV) {
    const text =
      'WorkQueue: env: SHARE_ENV is for threads alone: two processes share no environment. ' +
      'Leave it out, and each child begins with a copy'
    throw new UserWorkerError('ENOTSUP', text)
  }
  if (resourceLimits.codeRangeSizeMb !== undefined) {
    const text =
      'WorkQueue: resourceLimits.codeRangeSizeMb is for threads alone: V8 has no such option for a process'
    throw new UserWorkerError('ENOTSUP', text)
  }
  return { flags: flagsOf(resourceLimits), preload, stdout }
}

const heapFlag = '--max-old-space-size='

/** Node's options for a child process below owners that limit its heap. */
export function limitChild(child: ChildPlan, heapMb: number): ChildPlan {
  const { flags } = child
  const own = flags.find((flag) => flag.startsWith(heapFlag))?.slice(heapFlag.length)
  // Of two, the last one counts.
  if (heapMb >= Number(own ?? Infinity)) return child
  return { ...child, flags: [...flags, `${heapFlag}${Math.floor(heapMb)}`] }
}

function flagsOf(limits: Limits): string[] {
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young, stackSizeMb } = limits
  const flags: string[] = []
  // 0 is V8's own default, for a thread too.
  if (old) flags.push(`${heapFlag}${Math.ceil(old)}`)
  if (young) flags.push(`--max-semi-space-size=${Math.max(1, Math.round(young / semiSpaces))}`)
  if (stackSizeMb) {
    const kb = Math.floor(stackSizeMb * 1024) - stackReserveKb
    flags.push(`--stack-size=${Math.max(64, kb)}`)
  }
  return flags
}
