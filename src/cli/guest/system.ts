/**
 * What a guest is made of, where this system has it: QEMU, a kernel with its modules, programs.
 *
 * @module
 */
import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A Linux kernel that can be booted. */
export interface Kernel {
  readonly version: string
  /** Its file. */
  readonly image: string
  /** The files of those modules that a guest with a disk of virtio needs, in the order of loading. */
  readonly modules: readonly string[]
}

/** The package of Debian that a program comes with, where it is not called like it. */
const packages: Readonly<Record<string, string>> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-storage-daemon': 'qemu-system-common',
  busybox: 'busybox-static',
  'mkfs.ext4': 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  debugfs: 'e2fsprogs',
  ldd: 'libc-bin',
}

const kernelPackage = 'linux-image-cloud-amd64'
/** Programs of the system's own folders are not on everybody's path. */
const systemFolders = ['/usr/sbin', '/sbin']

/** Each needs those before it. One that there is no file of is part of the kernel itself. */
const moduleNames = [
  'virtio_ring',
  'virtio',
  'virtio_pci_modern_dev',
  'virtio_pci_legacy_dev',
  'virtio_pci',
  'virtio_blk',
]

/** The newest kernel of this system that it has modules of too, or null. */
export function findKernel(): Kernel | null {
  const versions = namesIn('/boot')
    .filter((name) => name.startsWith('vmlinuz-'))
    .map((name) => name.slice('vmlinuz-'.length))
    .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  for (const version of versions) {
    const image = `/boot/vmlinuz-${version}`
    const modules = modulesOf(`/lib/modules/${version}/kernel/drivers`)
    if (modules.length > 0 && isAllowed(image, constants.R_OK)) return { version, image, modules }
  }
  return null
}

function modulesOf(drivers: string): string[] {
  const files = ['virtio', 'block'].flatMap((folder) =>
    namesIn(join(drivers, folder)).map((name) => join(drivers, folder, name)),
  )
  return moduleNames.flatMap((name) => files.find((file) => isModule(file, name)) ?? [])
}

const isModule = (file: string, name: string): boolean =>
  /\.ko(\.xz)?$/.test(file) && file.slice(file.lastIndexOf('/') + 1).split('.')[0] === name

/** The file of a program, or null. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders]
  const files = folders.filter((folder) => folder !== '').map((folder) => join(folder, name))
  return files.find((file) => isAllowed(file, constants.X_OK)) ?? null
}

/** The packages of Debian that are missing for these programs, and for a kernel. */
export function missingPackages(programs: readonly string[]): string[] {
  const missing = programs
    .filter((name) => findProgram(name) === null)
    .map((name) => packages[name] ?? name)
  if (findKernel() === null) missing.push(kernelPackage)
  return [...new Set(missing)]
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function isAllowed(file: string, how: number): boolean {
  try {
    accessSync(file, how)
    return true
  } catch {
    return false
  }
}
