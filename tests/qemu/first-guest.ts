/**
 * The first guest: a file system, all kinds of requests, a reboot, and a backend that dies.
 *
 * @module
 */
import { join } from 'node:path'
import type { Served, Wish } from './backend.js'
import type { Guest } from './guest.js'
import { createImage, fill, MiB, roomOf, sumOf, sumsInImage, type Part } from './image.js'
import { until } from './processes.js'
import { booted, expect, expectSame, growing, type Setting } from './setting.js'
import { guestSum, inFlight, startWriters, statOf, writersEnd } from './shell.js'

const disk = '/dev/vda'
const size = 256 * MiB
/** The first part is the file system's; the others are written to directly. */
const fileSystem = '96m'
const ofHost: Part = { offset: 100 * MiB, length: 8 * MiB }
const direct: Part = { offset: 108 * MiB, length: 8 * MiB }
const amidKills: Part = { offset: 140 * MiB, length: 6 * MiB }
const kills = 3
const grown = 320 * MiB
const atEnd: Part = { offset: 316 * MiB, length: 4 * MiB }
const fileCount = 200

/** What the first guest leaves to the second. */
export interface Left {
  readonly wish: Wish
  readonly served: Served
}

/** Runs the steps of the first guest; it is killed amid writes at the end. */
export async function firstGuest(setting: Setting): Promise<Left> {
  const { backend, course, folder, kernel } = setting
  const file = join(folder, 'disk.img')
  createImage(file, size)
  fill(file, ofHost)
  const wish: Wish = { file, socket: join(folder, 'disk.sock'), queues: 2 }
  let served = await backend.serve(wish)
  const machine = { folder, kernel, cpus: 2, mebibytes: 512, disks: [wish] }
  const guest = await booted(course, 'Linux boots', machine)
  await fileSystemSteps(setting, guest, file)
  await requestSteps(setting, guest, file)
  await course.step(growing, async () => {
    await served.resize(grown)
    const sectors = `${grown / 512}`
    await until('the guest sees it', async () => {
      return (await guest.run('cat /sys/block/vda/size')) === sectors
    })
    const where = `oflag=direct bs=1M seek=${atEnd.offset / MiB} count=${atEnd.length / MiB}`
    await guest.run(`dd if=/dev/urandom of=${disk} ${where}`)
    expectSame('the end of the disk', await guestSum(guest, disk, atEnd), sumOf(file, atEnd))
  })
  await course.step('the guest reboots, by way of its firmware', async () => {
    await guest.run('umount /mnt')
    guest.send('reboot -f')
    await guest.ready()
    await checkFiles(guest)
  })
  await course.step(
    'the backend is killed amid writes, and all that were answered are there',
    async () => {
      for (let kill = 0; kill < kills; kill++) {
        const part = { ...amidKills, offset: amidKills.offset + kill * amidKills.length }
        await startWriters(guest, disk, part)
        await writesGoOn(guest)
        await served.kill()
        expect((await inFlight(guest, 'vda')) > 0, 'no write was under way')
        served = await backend.serve(wish)
        await writersEnd(guest)
        const written = (await guest.run('sha256sum < /tmp/data')).split(' ')[0]
        expectSame('what the guest reads', await guestSum(guest, disk, part), written)
        expectSame('what the host reads', sumOf(file, part), written)
      }
    },
  )
  await course.step('QEMU is killed amid writes, and the backend stays', async () => {
    await guest.run(
      'cp /proc/cpuinfo /mnt/synced && sync && cp /proc/cpuinfo /mnt/expected && sync',
    )
    await startWriters(guest, disk, amidKills)
    await guest.run('(while :; do cp -r /mnt/files /mnt/more; rm -r /mnt/more; done) 2>&1 &')
    await writesGoOn(guest)
    await guest.kill()
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(served.isAlive, 'the backend has ended')
  })
  return { wish, served }
}

async function fileSystemSteps(setting: Setting, guest: Guest, file: string): Promise<void> {
  const { course, folder } = setting
  await course.step('the guest reads what the host wrote', async () => {
    expectSame('SHA-256', await guestSum(guest, disk, ofHost), sumOf(file, ofHost))
  })
  await course.step('mkfs and mount', async () => {
    await guest.run(`mkfs.ext4 -q -F ${disk} ${fileSystem} && mount ${disk} /mnt`)
  })
  await course.step(`${fileCount} files are the same after a remount`, async () => {
    const write = 'head -c $((i * 131)) /dev/urandom > $i'
    await guest.run(
      `mkdir /mnt/files && cd /mnt/files && for i in $(seq ${fileCount}); do ${write}; done
      sha256sum * > /mnt/sums; cd /; umount /mnt`,
    )
    await checkFiles(guest)
  })
  await course.step("the files are the same in the host's image", async () => {
    const text = await guest.run('cat /mnt/sums; umount /mnt')
    const sums = sumsInImage(file, 'files', join(folder, 'files'))
    expectSame('number of files', sums.size, fileCount)
    for (const line of text.split('\n')) {
      const [sum, name = ''] = line.split(/\s+/)
      expectSame(`file ${name}`, sums.get(name), sum)
    }
    await guest.run(`mount ${disk} /mnt`)
  })
}

async function requestSteps({ course }: Setting, guest: Guest, file: string): Promise<void> {
  await course.step(
    "what is written past the page cache is the same in the host's image",
    async () => {
      const where = `bs=1M seek=${direct.offset / MiB} count=${direct.length / MiB}`
      await guest.run(`dd if=/dev/urandom of=${disk} ${where} oflag=direct`)
      expectSame('SHA-256', await guestSum(guest, disk, direct), sumOf(file, direct))
    },
  )
  await course.step('discard gives the room back', async () => {
    const before = roomOf(file)
    const discard = `blkdiscard -o ${direct.offset} -l ${direct.length} ${disk}`
    await guest.run(`umount /mnt && ${discard} && mount ${disk} /mnt`)
    const freed = before - roomOf(file)
    expect(freed >= direct.length / 2, `the image is ${freed} bytes smaller`)
  })
  await course.step('write-back: fsync is a flush', async () => {
    await guest.run(`echo 'write back' > /sys/block/vda/cache_type`)
    const before = await statOf(guest, 'vda')
    await guest.run('echo kept > /mnt/kept && sync && dd if=/mnt/sums of=/mnt/copy conv=fsync')
    const { flushes } = await statOf(guest, 'vda')
    expect(flushes > before.flushes, 'no flush was completed')
  })
  await course.step('two queues work at once', async () => {
    const before = await interruptsOf(guest)
    const read = (cpu: number): string =>
      `taskset ${cpu + 1} dd if=${disk} of=/dev/null iflag=direct bs=4k count=500 2>/dev/null`
    await guest.run(`${read(0)} & ${read(1)}; wait`)
    const after = await interruptsOf(guest)
    expectSame('number of queues', after.length, 2)
    for (const [queue, count] of after.entries())
      expect(count > (before[queue] ?? 0), `queue ${queue} was idle`)
  })
}

/** Mounts the file system, if it is not, and compares its files with the sums beside them. */
export async function checkFiles(guest: Guest): Promise<void> {
  const mount = `grep -q ' /mnt ' /proc/mounts || mount ${disk} /mnt`
  const check = 'echo 3 > /proc/sys/vm/drop_caches; cd /mnt/files && sha256sum -c ../sums | wc -l'
  expectSame('number of files', await guest.run(`(${mount}) && ${check}`), `${fileCount}`)
  await guest.run('cd /mnt/files && sha256sum -c -s ../sums')
}

/** Waits until some writes are done, and more to come. */
async function writesGoOn(guest: Guest): Promise<void> {
  const { writes } = await statOf(guest, 'vda')
  await until('writes go on', async () => (await statOf(guest, 'vda')).writes > writes + 300)
}

/** How often each queue has interrupted the guest. */
async function interruptsOf(guest: Guest): Promise<number[]> {
  const lines = (await guest.run('grep virtio0-req /proc/interrupts')).split('\n')
  return lines.map((line) => {
    const counts = line.trim().split(/\s+/).slice(1, 3).map(Number)
    return counts.reduce((sum, each) => sum + each, 0)
  })
}
