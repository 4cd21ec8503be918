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
  readonly mappings: number
  readonly rows: number
  readonly children: number
}

const code = codeIn(dist)
const { claimedRows, table } = (await code(
  'worker/table.js',
)) as typeof import('../../src/worker/table.js')

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
  const { rss, heapUsed: heap, external, arrayBuffers } = process.memoryUsage()
  return { rss, heap, external, arrayBuffers, mappings: mappings(), ...countsOf() }
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

function mappings(): number {
  return readFileSync('/proc/self/maps', 'utf8').split('\n').length - 1
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
