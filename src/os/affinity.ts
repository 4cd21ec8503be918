/**
 * The CPUs that a thread may run on. Without `koffi`, and on other systems than Linux, every function
 * answers `unsupported`.
 *
 * @module
 */
import { checkArray, checkInteger } from '../validate.js'
import { functions, lastError, native } from './koffi.js'

/** What came of {@link setAffinity}. */
export type AffinityOutcome = 'set' | 'unsupported' | 'not-found' | 'refused' | 'no-such-cpu'

/** The largest kernel that can be built numbers its CPUs from 0 to 8191: CONFIG_NR_CPUS. */
const highestCpu = 8191

/** The kernel takes masks in whole words of the machine: 8 bytes are whole words on all of them. */
const cpusInWord = 64

const outcomes: ReadonlyMap<string | 0, AffinityOutcome> = new Map<string | 0, AffinityOutcome>([
  [0, 'set'],
  ['ESRCH', 'not-found'],
  ['EPERM', 'refused'],
  ['EINVAL', 'no-such-cpu'],
  ['ENOSYS', 'unsupported'],
])

const libc = functions({
  setAffinity: 'int sched_setaffinity(int tid, size_t maskBytes, const uint8_t *mask)',
})

/** Whether the C library can be called: this is Linux, and `koffi` is installed and works. */
export function hasLibc(): boolean {
  return native() !== null
}

/**
 * Sets the CPUs that one thread may run on; sched_setaffinity(2). Threads it makes later begin with
 * the same ones. The kernel leaves out those that are not there or not in the cpuset of the
 * thread's cgroup (cpuset(7)): `affinityOf` of limits.ts tells what became of it.
 *
 * @param tid - a thread of this process, as `osThreadId` of proc.ts gives it; 0 is the calling
 * thread
 * @param cpus - their numbers, in any order
 * @returns `no-such-cpu` if none of them is there for this thread, `refused` without the privilege,
 * `not-found` if there is no such thread, `unsupported` where {@link hasLibc} is false
 * @throws TypeError EINVAL: a number is not whole, or is one that no kernel has
 */
export function setAffinity(tid: number, cpus: readonly number[]): AffinityOutcome {
  checkInteger('setAffinity: tid', tid, 0, 2 ** 31 - 1)
  checkArray('setAffinity: cpus', cpus)
  for (const cpu of cpus) checkInteger('setAffinity: a CPU', cpu, 0, highestCpu)
  const mask = maskOf(cpus)
  if (!hasLibc()) return 'unsupported'
  const result = libc().setAffinity(tid, mask.byteLength, mask) === 0 ? 0 : lastError()
  const outcome = outcomes.get(result)
  if (outcome === undefined) throw new Error(`sched_setaffinity failed: ${result}`)
  return outcome
}

/** One bit for each CPU. */
function maskOf(cpus: readonly number[]): Uint8Array {
  const words = new BigUint64Array(Math.floor(Math.max(0, ...cpus) / cpusInWord) + 1)
  for (const cpu of cpus) {
    const index = Math.floor(cpu / cpusInWord)
    words[index] = (words[index] ?? 0n) | (1n << BigInt(cpu % cpusInWord))
  }
  return new Uint8Array(words.buffer)
}
