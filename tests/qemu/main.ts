/**
 * `npm run qemu -- [--backend <name>]`: Linux on our disk, under QEMU. Ends with `guest: ok N/N`. Exit
 * code 1 where a step fails, 2 where something is missing.
 *
 * @module
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Backend } from './backend.js'
import { boot } from './boot.js'
import { Course } from './course.js'
import { firmware } from './firmware.js'
import { firstGuest } from './first-guest.js'
import { system } from './library.js'
import { ours } from './ours.js'
import { removeAtEnd } from './processes.js'
import { secondGuest } from './second-guest.js'
import { storageDaemon } from './storage-daemon.js'

const backends: readonly Backend[] = [ours, storageDaemon]
const inGuest = ['mkfs.ext4', 'e2fsck']
const onHost = ['qemu-system-x86_64', 'busybox', 'debugfs', 'ldd', ...inGuest]

async function main(): Promise<number> {
  const options = { backend: { type: 'string', default: backends[0]?.name ?? '' } } as const
  const { values } = parseArgs({ options })
  const backend = backends.find(({ name }) => name === values.backend)
  if (backend === undefined)
    return refused(`--backend is one of ${backends.map(({ name }) => name).join(', ')}`)
  const missing = system.missingPackages([...onHost, ...backend.programs])
  const kernel = system.findKernel()
  if (missing.length > 0 || kernel === null)
    return refused(`missing: apt-get install --no-install-recommends ${missing.join(' ')}`)
  const folder = mkdtempSync(join(tmpdir(), 'userworker-qemu-'))
  removeAtEnd(folder)
  const initramfs = join(folder, 'initramfs')
  writeFileSync(initramfs, system.initramfs(kernel, inGuest))
  const course = new Course(backend.lacks, (line) => console.log(line))
  const setting = { course, backend, folder, kernel: { image: kernel.image, initramfs } }
  console.log(`Linux ${kernel.version} on a disk of ${backend.name}`)
  try {
    await firmware(setting)
    await boot(setting)
    await secondGuest(setting, await firstGuest(setting))
  } catch (error) {
    console.error(error)
    return 1
  }
  console.log(course.summary)
  return course.outcomes.every(({ error }) => error === null) ? 0 : 1
}

function refused(why: string): number {
  console.error(`npm run qemu: ${why}`)
  return 2
}

process.exitCode = await main()
process.exit()
