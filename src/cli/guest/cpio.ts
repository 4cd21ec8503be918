/**
 * Archives that the Linux kernel unpacks as its first file system: cpio in its "new" format.
 *
 * @module
 */

/** A file, folder or link of the archive. */
export interface Entry {
  /** Its path without a slash before it. */
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link'
  /** What is in the file, or where the link leads. */
  readonly content?: Uint8Array | string
}

/** Kinds of files, with permissions: everybody may read and run, as befits a guest with one user. */
const modes = { file: 0o100755, folder: 0o040755, link: 0o120777 } as const
const end: Entry = { path: 'TRAILER!!!', kind: 'file' }

/** The archive of these entries, and of the folders around them. */
export function archiveOf(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...withFolders(entries), end].flatMap(partsOf))
}

/** Each folder once, and before what is in it. */
function* withFolders(entries: readonly Entry[]): Generator<Entry> {
  const seen = new Set<string>()
  for (const entry of entries) {
    const names = entry.path.split('/')
    for (let depth = 1; depth <= names.length; depth++) {
      const path = names.slice(0, depth).join('/')
      if (seen.has(path)) continue
      seen.add(path)
      yield depth === names.length ? entry : { path, kind: 'folder' }
    }
  }
}

/** Header and name, then the content; each ends at a multiple of four bytes. */
function partsOf({ path, kind, content = '' }: Entry, index: number): Uint8Array[] {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const name = Buffer.from(`${path}\0`)
  const [owner, group, links, time, device] = [0, 0, 1, 0, 0]
  const fields = [index + 1, modes[kind], owner, group, links, time, bytes.byteLength]
  const numbers = [...fields, device, device, device, device, name.byteLength, 0]
  const header = Buffer.from(`070701${numbers.map(hexadecimal).join('')}`)
  return [header, name, padding(header.byteLength + name.byteLength), bytes, padding(bytes.length)]
}

const hexadecimal = (number: number): string => number.toString(16).padStart(8, '0')
const padding = (length: number): Uint8Array => new Uint8Array((4 - (length % 4)) % 4)
