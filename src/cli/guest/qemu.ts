/**
 * The options of QEMU for a guest with disks that other programs serve.
 *
 * @module
 */

import { channelWord } from './initramfs.js'

/** A disk for QEMU. */
export interface Disk {
  readonly socket: string
  readonly queues: number
}

/** What QEMU needs of a guest so that another program may serve its disks: memory to share. */
export function memoryOptions(mebibytes: number): string[] {
  return [
    ['-m', `${mebibytes}M`],
    ['-object', `memory-backend-memfd,id=memory,size=${mebibytes}M,share=on`],
    ['-machine', 'memory-backend=memory'],
  ].flat()
}

/** What a guest boots, by its files. */
export interface Boot {
  readonly image: string
  readonly initramfs: string
}

/**
 * What QEMU needs of a guest without other devices, which it does in software: it boots in three seconds
 * so, and needs no /dev/kvm.
 *
 * @param boot - null for what the firmware finds on a disk
 * @param commands - whether it takes them from a program; else it has a shell on its console
 */
export function guestOptions(boot: Boot | null, cpus: number, commands: boolean): string[] {
  const words = `console=ttyS0 quiet panic=-1${commands ? ` ${channelWord}` : ''}`
  return [
    ['-machine', 'q35,accel=tcg', '-cpu', 'max', '-smp', `${cpus}`],
    ['-nodefaults', '-no-user-config', '-display', 'none'],
    boot === null ? [] : ['-kernel', boot.image, '-initrd', boot.initramfs, '-append', words],
  ].flat()
}

/** The options of one disk. It comes back by itself when the program that serves it does. */
export function diskOptions({ socket, queues }: Disk, index = 0): string[] {
  const id = `disk${index}`
  return [
    ['-chardev', `socket,id=${id},path=${escaped(socket)},reconnect=1`],
    ['-device', `vhost-user-blk-pci,chardev=${id},num-queues=${queues}`],
  ].flat()
}

/** QEMU takes a comma for the end of a value, and two for one. */
const escaped = (value: string): string => value.replaceAll(',', ',,')

/** Arguments as one types them into a shell: an option and its value on a line. */
export function asShell(args: readonly string[]): string {
  const words = args.map((word) => (/^[\w.,:=/@%+-]+$/.test(word) ? word : quoted(word)))
  const lines = words.map((word) => (word.startsWith('-') ? ` \\\n  ${word}` : ` ${word}`))
  return lines.join('').replace(/^ \\\n/, '')
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
