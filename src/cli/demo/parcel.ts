/**
 * Parcels: what one work presses. A big file is a parcel of its own; small ones of one folder go
 * together, because handing over a work takes about as long as pressing a small file.
 *
 * @module
 */
import type { Entry, Folder } from './tree.js'

/**
 * Some milliseconds of pressing: a hundred times what it takes to hand it over, and soon done when
 * interrupted.
 */
const parcelBytes = 128 * 1024

/** For files that are nearly empty. */
const parcelFiles = 32

/** Files of one folder that one work presses. */
export interface Parcel {
  readonly folder: Folder
  readonly files: readonly Entry[]
}

/** Packs all files, the biggest parcels first, so that no long one is left for the end. */
export function pack(files: readonly Entry[]): Parcel[] {
  const packed: { folder: Folder; files: Entry[]; bytes: number }[] = []
  const open = new Map<Folder, (typeof packed)[number]>()
  for (const entry of files) {
    const { folder, size } = entry
    const parcel = open.get(folder)
    if (
      parcel !== undefined &&
      parcel.files.length < parcelFiles &&
      parcel.bytes + size <= parcelBytes
    ) {
      parcel.files.push(entry)
      parcel.bytes += size
    } else {
      const next = { folder, files: [entry], bytes: size }
      packed.push(next)
      open.set(folder, next)
    }
  }
  return packed.sort((one, other) => other.bytes - one.bytes)
}
