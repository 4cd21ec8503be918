/**
 * What a process has at one moment, as itself and the system count it.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { codeIn, dist } from '../model/catalogue.js'

/** Bytes, and numbers of things. */
export interface Sample {
  readonly rss: number
  readonly heap: number
  readonly external: number
  readonly arrayBuffers: number
  readonly fds: number
  readonly threads: number
  /** See {@link mappingsIn}. */
  readonly mappings: number
  readonly rows: number
  readonly children: number
}

const code = codeIn(dist)
const { claimedRows, table } = (await code(
  'worker/table.js',
)) as typeof import('../../src/worker/table.js')
const { functions } = (await code('os/koffi.js')) as typeof import('../../src/os/koffi.js')
const libc = functions({ trim: 'int malloc_trim(size_t pad)' })
/** V8 takes its memory in pages of so many bytes, and has them begin at multiples of that. */
const pageBytes = 2 ** 18

/** Waits until threads and descriptors of what has ended are gone, frees what it can, and counts. */
export async function sample(): Promise<Sample> {
  let [before, same] = ['', 0]
  for (let tries = 0; tries < 200 && same < 4; tries++) {
    const now = JSON.stringify(countsOf())
    same = now === before ? same + 1 : 0
    before = now
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  giveBack()
  const { rss, heapUsed: heap, external, arrayBuffers } = process.memoryUsage()
  const mappings = mappingsIn(readFileSync('/proc/self/maps', 'utf8'))
  return { rss, heap, external, arrayBuffers, mappings, ...countsOf() }
}

/** Gives the system the pages that nothing is in: glibc keeps much of what was freed, ever more. */
function giveBack(): void {
  try {
    libc().trim(0)
  } catch {
    // No `koffi`, or another C library: what that keeps counts.
  }
}

type Counts = Pick<Sample, 'fds' | 'threads' | 'rows' | 'children'>

function countsOf(): Counts {
  return {
    fds: descriptors(),
    threads: threads(),
    rows: claimedRows(table()).length,
    children: childrenOf(process.pid).length,
  }
}

/**
 * Without those of modules: Node 20 does not close one that a thread was opening when it was terminated.
 */
function descriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return !readlinkSync(`/proc/self/fd/${fd}`).endsWith('.js')
    } catch {
      return false // That of the list itself.
    }
  }).length
}

/** Without those that the system itself makes for io_uring, and ends when it likes. */
function threads(): number {
  return readdirSync('/proc/self/task').filter((tid) => {
    try {
      return !readFileSync(`/proc/self/task/${tid}/comm`, 'utf8').startsWith('iou-')
    } catch {
      return false // It is gone meanwhile.
    }
  }).length
}

/**
 * How many mappings there are in a text like `/proc/self/maps`, without V8's pages: how many mappings
 * these are depends on which of them happen to lie side by side.
 */
export function mappingsIn(maps: string): number {
  const lines = maps.split('\n').filter((line) => line !== '')
  return lines.filter((line) => {
    const [range = '', , , , , name] = line.split(/\s+/)
    const [start = 0, end = 0] = range.split('-').map((address) => Number.parseInt(address, 16))
    return name !== '' || start % pageBytes !== 0 || end % pageBytes !== 0
  }).length
}

/** Those too that have ended, and that nobody has asked about. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => parentOf(each) === pid)
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.replace(/^.*\) /s, '').split(' ')[1])
  } catch {
    return 0 // It is gone meanwhile.
  }
}
