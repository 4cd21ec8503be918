/**
 * What a disk is made of, in words that can be sent to a thread, and the back ends that come of it.
 *
 * @module
 */
import type { BackEnd } from './back-end.js'
import { FileBackEnd } from './file.js'
import { MemoryBackEnd } from './memory.js'
import { openImage } from './open-image.js'

/** The bytes of a disk, or a layer over others. */
export type Layer =
  | { readonly kind: 'file'; readonly file: string; readonly direct: boolean }
  | { readonly kind: 'memory'; readonly bytes: SharedArrayBuffer }

/** How layers are opened. */
export interface Opening {
  readonly readOnly: boolean
  /** Whether this is the instance of the control thread, which takes the locks. */
  readonly isControl: boolean
}

/**
 * Opens a layer, and those below it.
 *
 * @throws UserWorkerError ERR_DISK_IMAGE: a file cannot be served
 */
export function openLayer(layer: Layer, { readOnly, isControl }: Opening): BackEnd {
  switch (layer.kind) {
    case 'file': {
      const access = { readOnly, direct: layer.direct, lock: isControl }
      return new FileBackEnd(openImage(layer.file, access))
    }
    case 'memory':
      return new MemoryBackEnd(layer.bytes)
  }
}
