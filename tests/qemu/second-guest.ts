/**
 * The second guest: 5 GiB of memory, and three disks: the one that the first guest was killed with, one
 * with an overlay, and one with a bad place.
 *
 * @module
 */
import { join } from 'node:path'
import type { Served, Wish } from './backend.js'
import { checkFiles, type Left } from './first-guest.js'
import { createImage, fill, MiB, sumOf, type Part } from './image.js'
import { booted, expect, expectSame, type Setting } from './setting.js'
import { guestSum } from './shell.js'

const mebibytes = 5120
const size = 16 * MiB
const whole: Part = { offset: 0, length: size }
const changed: Part = { offset: 3 * MiB, length: MiB }
const bad: Part = { offset: 5 * MiB, length: 64 * 1024 }
const before: Part = { offset: 0, length: 5 * MiB }
const behind: Part = { offset: 6 * MiB, length: 10 * MiB }
const high: Part = { offset: 200 * MiB, length: 8 * MiB }

export async function secondGuest(setting: Setting, { wish: main, served }: Left): Promise<void> {
  const { backend, course, folder, kernel } = setting
  const image = (name: string): Wish => {
    const file = join(folder, `${name}.img`)
    createImage(file, size)
    fill(file, whole)
    return { file, socket: join(folder, `${name}.sock`), queues: 1 }
  }
  const over: Wish = { ...image('base'), overlay: join(folder, 'overlay') }
  const faulty: Wish = { ...image('faulty'), failingReads: bad }
  const base = sumOf(over.file, whole)
  const all = [served, await backend.serve(over), await backend.serve(faulty)]
  const machine = { folder, kernel, cpus: 2, mebibytes, disks: [main, over, faulty] }
  const guest = await booted(course, 'another guest takes the disk over', machine)
  await course.step(
    'after that the file system is sound, and holds all that was synced',
    async () => {
      const { status, output } = await guest.try('e2fsck -f -p /dev/vda')
      expect(status <= 1, `e2fsck ended with ${status}: ${output}`)
      await checkFiles(guest)
      await guest.run('cmp /mnt/synced /mnt/expected')
    },
  )
  await course.step('a guest with 5 GiB', async () => {
    const kibibytes = Number(
      await guest.run(`sed -n 's/MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo`),
    )
    expect(kibibytes > (mebibytes - 512) * 1024, `the guest has ${kibibytes} KiB`)
    await guest.run(`dd if=/dev/urandom of=/tmp/data bs=1M count=${high.length / MiB}`)
    const seek = `seek=${high.offset / MiB}`
    await guest.run(`dd if=/tmp/data of=/dev/vda bs=1M ${seek} oflag=direct conv=notrunc`)
    const written = (await guest.run('sha256sum < /tmp/data')).split(' ')[0]
    expectSame('what the guest reads', await guestSum(guest, '/dev/vda', high), written)
    expectSame('what the host reads', sumOf(main.file, high), written)
  })
  await course.step('an overlay takes the writes, and its base stays what it is', async () => {
    expectSame('at first', await guestSum(guest, '/dev/vdb', whole), base)
    const where = `bs=1M seek=${changed.offset / MiB} count=1 oflag=direct conv=notrunc`
    await guest.run(
      `dd if=/dev/urandom of=/tmp/data bs=1M count=1; dd if=/tmp/data of=/dev/vdb ${where}`,
    )
    const written = (await guest.run('sha256sum < /tmp/data')).split(' ')[0]
    expectSame('the write', await guestSum(guest, '/dev/vdb', changed), written)
    const rest = { offset: 4 * MiB, length: 12 * MiB }
    expectSame('the rest', await guestSum(guest, '/dev/vdb', rest), sumOf(over.file, rest))
    expectSame('the base', sumOf(over.file, whole), base)
  })
  await course.step('an injected error is EIO, and harms nothing else', async () => {
    const read = `dd if=/dev/vdc of=/dev/null iflag=direct bs=4k skip=${bad.offset / 4096} count=1`
    const { status, output } = await guest.try(read)
    expect(status !== 0 && /I\/O error|Input\/output error/.test(output), `${status}: ${output}`)
    for (const part of [before, behind])
      expectSame('the rest', await guestSum(guest, '/dev/vdc', part), sumOf(faulty.file, part))
    await checkFiles(guest)
  })
  await course.step('the guest is turned off, and the backends end in order', async () => {
    await guest.run('umount /mnt')
    await guest.powerOff()
    await Promise.all(all.map((each: Served) => each.close()))
  })
}
