/**
 * The options of QEMU for a guest with disks that other programs serve.
 *
 * @module
 */

/** A disk for QEMU. */
export interface Disk {
  readonly socket: string
  readonly queues: number
}

/** What QEMU needs of a guest so that another program may serve its disks: memory to share. */
export function memoryOptions(mebibytes: number): string[] {
  return [
    ...['-m', `${mebibytes}M`],
    ...['-object', `memory-backend-memfd,id=memory,size=${mebibytes}M,share=on`],
    ...['-machine', 'memory-backend=memory'],
  ]
}

/** The options of one disk. It comes back by itself when the program that serves it does. */
export function diskOptions({ socket, queues }: Disk, index = 0): string[] {
  const id = `disk${index}`
  return [
    ...['-chardev', `socket,id=${id},path=${escaped(socket)},reconnect=1`],
    ...['-device', `vhost-user-blk-pci,chardev=${id},num-queues=${queues}`],
  ]
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
