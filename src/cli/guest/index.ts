/** A guest of QEMU from what this system has: a kernel, busybox, and disks that others serve. */
export { initramfs } from './initramfs.js'
export { asShell, diskOptions, guestOptions, memoryOptions, type Disk } from './qemu.js'
export { findKernel, findProgram, missingPackages, type Kernel } from './system.js'
