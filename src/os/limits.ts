/**
 * How many threads the system lets us have, and how many can run at once.
 *
 * Each limit is a number, `Infinity` where the system says that there is none, and `null` where it
 * says nothing (no /proc, no cgroups, the controller not in use). The last argument is the folder
 * in which the system's tree begins, `/` by default.
 *
 * @module
 */
import { join } from 'node:path'
import { cgroupFolders } from './cgroup.js'
import { ownText, systemRoot, textOf } from './pseudo-file.js'
import { builtin } from './builtin.js'

/**
 * How many threads the user may have, over all processes: the soft RLIMIT_NPROC; getrlimit(2),
 * UW-8. It does not bind user 0, nor a process with CAP_SYS_RESOURCE or CAP_SYS_ADMIN.
 */
export function maxUserProcesses(root: string = systemRoot): number | null {
  return limitIn(/^Max processes +(\S+)/m.exec(textOf('proc/self/limits', root) ?? '')?.[1])
}

/**
 * How many threads our cgroup may have, all of its processes together: the smallest `pids.max` from
 * it up to the root; cgroups(7), UW-8.
 */
export function pidsMax(root: string = systemRoot): number | null {
  return smallest(
    cgroupFolders('pids', root).map((folder) =>
      limitIn(wordsOf(join(folder, 'pids.max'), root)[0]),
    ),
  )
}

/**
 * How much CPU time our cgroup may use per time, in CPUs (1.5: one and a half): the smallest quota
 * from it up to the root. Version 2 keeps it in `cpu.max`, version 1 in `cpu.cfs_quota_us` and
 * `cpu.cfs_period_us`; cgroups(7).
 */
export function cpuQuota(root: string = systemRoot): number | null {
  return smallest(cgroupFolders('cpu', root).map((folder) => quotaOf(folder, root)))
}

function quotaOf(folder: string, root: string): number | null {
  const first = (name: string): string | undefined => wordsOf(join(folder, name), root)[0]
  const [quota = first('cpu.cfs_quota_us'), period = first('cpu.cfs_period_us')] = wordsOf(
    join(folder, 'cpu.max'),
    root,
  )
  const quotaUs = limitIn(quota)
  const periodUs = limitIn(period)
  return quotaUs === null || periodUs === null || periodUs === 0 ? null : quotaUs / periodUs
}

/**
 * The CPUs that the calling thread may run on and that are online, in the order of their numbers
 * (WQ-8). Threads it makes begin with the same set. It reflects `taskset`, sched_setaffinity(2) and
 * cpuset(7).
 *
 * @returns `null` where the system does not say
 */
export function cpuSet(root: string = systemRoot): number[] | null {
  return allowedIn(ownText('status', root), root)
}

/**
 * The same for any thread of this process.
 *
 * @param tid - as `osThreadId` of proc.ts gives it
 * @returns `null` if there is no such thread, or where the system does not say
 */
export function affinityOf(tid: number, root: string = systemRoot): number[] | null {
  return allowedIn(textOf(`proc/self/task/${tid}/status`, root), root)
}

/**
 * Every CPU that is online, in the order of their numbers: a thread that is given all of them may
 * run wherever its cgroup lets it (the kernel leaves out the others), however narrow its maker's
 * set is.
 *
 * @returns `null` where the system does not say
 */
export function allCpus(root: string = systemRoot): number[] | null {
  const online = textOf('sys/devices/system/cpu/online', root)
  return online === null ? null : cpusIn(online.trim())
}

/** The CPUs of a thread, from the text of its /proc/PID/task/TID/status. */
function allowedIn(status: string | null, root: string): number[] | null {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status ?? '')?.[1]
  if (allowed === undefined) return null
  // The allowed set of an unbound thread also holds CPUs that could be plugged in later.
  const online = allCpus(root)
  const cpus = cpusIn(allowed)
  return online === null ? cpus : cpus.filter((cpu) => online.includes(cpu))
}

/**
 * How many threads can run at once: the CPUs of {@link cpuSet}, or fewer if {@link cpuQuota} allows
 * fewer (a part of a CPU counts as one); at least 1. Where the system says nothing,
 * `os.availableParallelism()`.
 */
export function parallelism(root: string = systemRoot): number {
  const cpus = cpuSet(root)?.length ?? builtin('node:os').availableParallelism()
  return Math.max(1, Math.min(cpus, Math.ceil(cpuQuota(root) ?? Infinity)))
}

/** The CPUs of a list such as `0-2,7`. */
function cpusIn(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

/** A limit as the system writes it: a number, or one of its words for "none". */
function limitIn(text: string | undefined): number | null {
  if (text === 'max' || text === 'unlimited' || text === '-1') return Infinity
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null
}

function smallest(limits: (number | null)[]): number | null {
  const known = limits.filter((limit) => limit !== null)
  return known.length === 0 ? null : Math.min(...known)
}

function wordsOf(path: string, root: string): string[] {
  return textOf(path, root)?.trim().split(' ') ?? []
}
