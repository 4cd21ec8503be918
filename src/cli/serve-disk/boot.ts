/**
 * `--boot`: a small guest on the disk, with the terminal as its console.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  diskOptions,
  findKernel,
  findProgram,
  guestOptions,
  initramfs,
  memoryOptions,
  missingPackages,
  type Disk,
  type Kernel,
} from '../guest/index.js'

const mebibytes = 512
const needed = ['qemu-system-x86_64', 'busybox', 'ldd']
/** Those that somebody with a new disk wants first. */
const wanted = ['mkfs.ext4', 'e2fsck', 'fio']

/** @throws Error: what a guest takes is not here; the message names the packages. */
export function kernelToBoot(): Kernel {
  const missing = missingPackages(needed)
  const kernel = findKernel()
  if (missing.length === 0 && kernel !== null) return kernel
  const install = `apt-get install --no-install-recommends ${missing.join(' ')}`
  throw new Error(`--boot needs packages that are not here: ${install}`)
}

/** Boots a guest. Resolves when it has been turned off. @throws Error: QEMU has failed */
export async function boot(kernel: Kernel, disk: Disk, signal: AbortSignal): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'userworker-guest-'))
  try {
    const file = join(folder, 'initramfs')
    writeFileSync(
      file,
      initramfs(
        kernel,
        wanted.filter((name) => findProgram(name) !== null),
      ),
    )
    const qemu = spawn('qemu-system-x86_64', optionsOf(kernel, file, disk), { stdio: 'inherit' })
    signal.addEventListener('abort', () => qemu.kill(), { once: true })
    const [code, by] = (await once(qemu, 'exit')) as [number | null, string | null]
    if (code !== 0 && !signal.aborted) throw new Error(`QEMU has ended with ${code ?? by}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function optionsOf({ image }: Kernel, file: string, disk: Disk): string[] {
  return [
    guestOptions({ image, initramfs: file }, disk.queues, false),
    memoryOptions(mebibytes),
    ['-no-reboot', '-serial', 'mon:stdio'],
    diskOptions(disk),
  ].flat()
}
