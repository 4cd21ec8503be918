/**
 * The command `serve-disk`. Exit codes: 0 when it was asked to end, or its guest was turned off; 2 where
 * the disk cannot be served as asked.
 *
 * @module
 */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { ServeDiskOptions } from '../../devices/index.js'
import { asShell, diskOptions, memoryOptions, type Disk } from '../guest/index.js'
import { printable } from '../terminal/index.js'
import { boot, kernelToBoot } from './boot.js'
import { createMissing, sizeOf } from './image.js'
import { bytesIn, countIn, shownBytes } from './numbers.js'
import { watchOver } from './watch.js'

const seedIn = countIn(0, 2 ** 32 - 1)
/** As many vrings as a device has at most. */
const mostQueues = 256
const shownMebibytes = 1024

interface Options extends Omit<ServeDiskOptions, 'overlay'> {
  readonly queues: number
  readonly overlay?: string
  readonly create?: number
  readonly boot?: true
}

/** Adds the command `serve-disk FILE --socket PATH`. */
export function addServeDiskCommand(program: Command): void {
  program
    .command('serve-disk')
    .summary("serve a file as a guest's disk (vhost-user-blk)")
    .description(
      'Serves a file as a disk to QEMU or another program that speaks vhost-user. The guest sees it ' +
        'grow when the file is made larger. Ctrl-C ends it; the guest waits until it is served again.',
    )
    .argument('FILE', 'the image: the bytes of the disk, or a block device')
    .requiredOption('--socket <PATH>', 'the UNIX socket to make, which is yours alone')
    .option('--read-only', 'the guest may not write')
    .option('--direct', 'past the page cache, by io_uring and O_DIRECT')
    .option('--queues <N>', 'how many queues, each with a thread', countIn(1, mostQueues), 1)
    .option('--overlay <FILE>', 'writes go to this file, and the image stays what it is')
    .option('--faults <RULES>', 'what is to go wrong, for tests of what runs in the guest')
    .option('--seed <N>', 'the same faults again; default: a new one, which is shown', seedIn)
    .option('--bps <N>', 'at most so many bytes a second, such as 100M', bytesIn)
    .option('--iops <N>', 'at most so many requests a second', countIn(1, Number.MAX_SAFE_INTEGER))
    .option('--trace <FILE>', 'write each message and request to it, one JSON line each')
    .option('--create <SIZE>', 'make the image, such as 10G, if it is missing', bytesIn)
    .option('--boot', 'boot a small Linux on it, here in the terminal')
    .action(async (file: string, options: Options, command: Command) => {
      try {
        await serve(file, options)
      } catch (error) {
        command.error(`error: ${printable(sentenceOf(error, options))}`, { exitCode: 2 })
      }
    })
}

async function serve(file: string, options: Options): Promise<void> {
  const { create, boot: isBooting = false, ...given } = options
  const kernel = isBooting ? kernelToBoot() : null
  if (create !== undefined) createMissing(file, create)
  const wish = { ...given, socket: resolve(given.socket) }
  // It loads all of the service of devices, which the other commands need not.
  const { serveDisk } = await import('../../devices/index.js')
  const disk = await serveDisk(file, wish)
  const watch = watchOver(disk, file, { isQuiet: isBooting, mayGrow: wish.overlay === undefined })
  try {
    if (kernel === null) {
      process.stdout.write(`${introduction(file, wish)}\n`)
      if (wish.faults !== undefined) process.stdout.write(`The seed of the faults: ${disk.seed}\n`)
      await watch.ended
    } else await boot(kernel, wish, watch.signal)
  } finally {
    watch.close()
    await disk.close()
  }
}

/** What the system says of a socket in words; every other error has its own. */
function sentenceOf(error: unknown, { socket }: Options): string {
  if (!(error instanceof Error)) return String(error)
  const { syscall, code = '' } = error as NodeJS.ErrnoException
  if (syscall?.startsWith('bind ') !== true) return error.message
  return `The socket '${resolve(socket)}' ${reasons[code] ?? `cannot be made (${code})`}`
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use: another program listens there',
  EACCES: 'cannot be made: you may not write to its folder',
  EEXIST: 'cannot be made: a file that is no socket is there',
  ENOENT: 'cannot be made: its folder does not exist',
  ENOTDIR: 'cannot be made: its folder does not exist',
  EROFS: 'cannot be made: its file system is read-only',
}

function introduction(file: string, { socket, queues }: Disk): string {
  const size = sizeOf(file)
  const options = [...memoryOptions(shownMebibytes), ...diskOptions({ socket, queues })]
  const what = size === null ? '' : `, ${shownBytes(size)}`
  return [
    `Serving ${printable(file)}${what}. Options for QEMU, whose -m may be another:`,
    '',
    asShell(options.map(printable)),
    '',
  ].join('\n')
}
