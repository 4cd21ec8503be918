/**
 * Words that processes share, for tests that must see how far handlers in a child are: a file that
 * both map. The library itself shares no memory with a child.
 *
 * @module
 */
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Koffi {
  load(library: string): { func(prototype: string): (...args: unknown[]) => unknown }
  view(pointer: unknown, bytes: number): ArrayBuffer
}

/** What stands for mapped words on their way to a child. */
interface MappedFile {
  readonly mappedFile: string
  readonly length: number
}

/** From <sys/mman.h>. */
const [readAndWrite, shared] = [3, 1]

const koffi = createRequire(import.meta.url)('koffi') as Koffi
const mmap = koffi
  .load('libc.so.6')
  .func('void *mmap(void *at, size_t bytes, int access, int flags, int file, int64_t offset)')

const files = new WeakMap<Int32Array, MappedFile>()
const mapped = new Map<string, Int32Array>()
let folder: string | null = null
let last = 0

/** Makes so many words, all zero. They are there until the process ends. */
export function mappedWords(length: number): Int32Array {
  folder ??= mkdtempSync(join(tmpdir(), 'userworker-words-'))
  const path = join(folder, String(++last))
  writeFileSync(path, '')
  truncateSync(path, 4 * length)
  const words = map({ mappedFile: path, length })
  files.set(words, { mappedFile: path, length })
  return words
}

/** Removes the files; what is mapped stays. */
export function removeMappedFiles(): void {
  if (folder !== null) rmSync(folder, { recursive: true })
  folder = null
}

function map({ mappedFile, length }: MappedFile): Int32Array {
  const known = mapped.get(mappedFile)
  if (known !== undefined) return known
  const file = openSync(mappedFile, 'r+')
  const pointer = mmap(null, 4 * length, readAndWrite, shared, file, 0)
  closeSync(file)
  const words = new Int32Array(koffi.view(pointer, 4 * length))
  mapped.set(mappedFile, words)
  return words
}

/** The value with the names of files for mapped words. */
export function withFiles(value: unknown): unknown {
  return replaced(value, (each) => (each instanceof Int32Array ? files.get(each) : undefined))
}

/** The value with mapped words for the names of their files. */
export function withWords(value: unknown): unknown {
  return replaced(value, (each) => {
    const { mappedFile } = each as Partial<MappedFile>
    return typeof mappedFile === 'string' ? map(each as MappedFile) : undefined
  })
}

/** Arguments have words no deeper: in a list, in an object. */
const mostDepth = 2

/** A value with others in place of some of its objects; else the very same. */
function replaced(value: unknown, by: (each: object) => unknown, depth = mostDepth): unknown {
  if (typeof value !== 'object' || value === null) return value
  const other = by(value)
  if (other !== undefined) return other
  if (depth === 0) return value
  if (Array.isArray(value)) {
    const list: unknown[] = value.map((each) => replaced(each, by, depth - 1))
    return list.every((each, index) => each === value[index]) ? value : list
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  const entries = Object.entries(Object.getOwnPropertyDescriptors(value))
  if (!entries.every(([, descriptor]) => 'value' in descriptor)) return value
  const made = entries.map(
    ([key, { value: each }]) => [key, replaced(each, by, depth - 1)] as const,
  )
  const isSame = made.every(([key, each]) => each === (value as Record<string, unknown>)[key])
  return isSame ? value : Object.fromEntries(made)
}
