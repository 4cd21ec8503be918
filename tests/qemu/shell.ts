/**
 * What the guests are told: scripts of the shell, and what is read from their answers.
 *
 * @module
 */
import type { Guest } from './guest.js'
import { MiB, type Part } from './image.js'

const block = 4096

/** The SHA-256 of a part of a disk, read past the guest's page cache. */
export async function guestSum(guest: Guest, disk: string, part: Part): Promise<string> {
  const where = `iflag=direct bs=1M skip=${part.offset / MiB} count=${part.length / MiB}`
  const output = await guest.run(`dd if=${disk} ${where} 2>/dev/null | sha256sum`)
  return output.split(' ')[0] ?? ''
}

/** The counters of a disk: what has been completed, by the names of the kernel's documentation. */
export async function statOf(
  guest: Guest,
  disk: string,
): Promise<{ writes: number; flushes: number }> {
  const words = (await guest.run(`cat /sys/block/${disk}/stat`)).split(/\s+/).map(Number)
  return { writes: words[4] ?? 0, flushes: words[15] ?? 0 }
}

/** How many requests the guest has given to a disk without an answer. */
export async function inFlight(guest: Guest, disk: string): Promise<number> {
  const words = (await guest.run(`cat /sys/block/${disk}/inflight`)).split(/\s+/).map(Number)
  return words.reduce((sum, each) => sum + each, 0)
}

/**
 * Starts three writers, which write one part together: two with one write of a block at a time past
 * the page cache, one through it, so that many are under way. What they write is random, and lies in
 * the guest's /tmp/data.
 */
export async function startWriters(guest: Guest, disk: string, part: Part): Promise<void> {
  const blocks = part.length / block / 3
  const first = part.offset / block
  const writer = (index: number, how: string): string => {
    const [skip, seek] = [index * blocks, first + index * blocks]
    const where = `bs=${block} count=${blocks} skip=${skip} seek=${seek} conv=notrunc`
    return `(dd if=/tmp/data of=${disk} ${where}${how} 2>/dev/null; echo $? >> /tmp/ended) &`
  }
  await guest.run(
    [
      'rm -f /tmp/ended',
      `dd if=/dev/urandom of=/tmp/data bs=${block} count=${3 * blocks} 2>/dev/null`,
      writer(0, ' oflag=direct'),
      writer(1, ' oflag=direct'),
      writer(2, ',fsync'),
    ].join('\n'),
  )
}

/** Waits until the writers have ended. @throws Error: one has failed */
export async function writersEnd(guest: Guest): Promise<void> {
  const wait = 'n=0; while [ "$(cat /tmp/ended 2>/dev/null | wc -l)" -lt 3 ]'
  await guest.run(`${wait}; do usleep 50000; n=$((n+1)); [ $n -lt 1200 ] || exit 9; done`)
  const statuses = await guest.run('cat /tmp/ended')
  if (statuses !== '0\n0\n0') throw new Error(`the writers ended with ${JSON.stringify(statuses)}`)
}
