/**
 * The door to native code: the only file of the library that imports `koffi`.
 *
 * `koffi` is an optional peer, loaded at the first call and not before. Files beside this one declare
 * the functions of the C library that they call, and give them a face of their own. Addresses are
 * numbers: those of a Linux process have 47 bits, or 56 at most where a program asks for them.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { builtin } from './builtin.js'

/** A function of the C library. What it takes and gives are numbers, texts and byte arrays. */
export type NativeFunction = (...args: readonly (number | bigint | string | Uint8Array)[]) => number

/** What `koffi` does for us. */
interface Native {
  func(prototype: string): NativeFunction
  errno(): string
  view(address: number, length: number): ArrayBuffer
  poll(fd: number, options: { readable: boolean }, listener: () => void): { close(): void }
}

/** `undefined` before the first call, `null` where it cannot be had. */
let loaded: Native | null | undefined

/** The door, or null where there is no `koffi` that works here: it is a binary for each system. */
export function native(): Native | null {
  if (loaded === undefined) loaded = load()
  return loaded
}

/**
 * The door, for those who cannot do without.
 *
 * @throws UserWorkerError ENOTSUP: this is no Linux, or `koffi` is not installed
 */
export function needNative(): Native {
  const door = native()
  if (door !== null) return door
  const remedy =
    process.platform === 'linux' ? "install the package 'koffi' beside it" : 'use it on Linux'
  throw new UserWorkerError('ENOTSUP', `This part of userworker calls the C library: ${remedy}`)
}

/**
 * Functions of the C library by name, declared when the first of them is asked for.
 *
 * @param prototypes - by our name, the declaration in C. Pointers that are given as numbers are declared
 * `size_t`, those to byte arrays `void *`.
 */
export function functions<Name extends string>(
  prototypes: Readonly<Record<Name, string>>,
): () => Readonly<Record<Name, NativeFunction>> {
  let declared: Record<Name, NativeFunction> | null = null
  return () => {
    if (declared !== null) return declared
    const door = needNative()
    const entries = Object.entries<string>(prototypes)
    declared = Object.fromEntries(
      entries.map(([name, prototype]) => [name, door.func(prototype)]),
    ) as Record<Name, NativeFunction>
    return declared
  }
}

/** The name of the error of the system call that failed last in this thread, such as `EAGAIN`. */
export function lastError(): string {
  return needNative().errno()
}

/** The error of a system call that failed just now, as Node makes them: `code` is the error's name. */
export function systemError(call: string, code: string = lastError()): NodeJS.ErrnoException {
  return Object.assign(new Error(`${call} failed: ${code}`), { code, syscall: call })
}

/** @throws the error of a call whose answer says that it failed; @returns the answer else */
export function checked(call: string, answer: number): number {
  if (answer < 0) throw systemError(call)
  return answer
}

function load(): Native | null {
  if (process.platform !== 'linux') return null
  try {
    const require = builtin('node:module').createRequire(import.meta.url)
    const koffi = require('koffi') as typeof import('koffi')
    const library = koffi.load(null)
    return {
      func: (prototype) => library.func(prototype) as NativeFunction,
      errno: () => builtin('node:util').getSystemErrorName(-koffi.errno()),
      view: (address, length) => koffi.view(address, length),
      poll: (fd, options, listener) => koffi.node.poll(fd, options, listener),
    }
  } catch {
    return null
  }
}
