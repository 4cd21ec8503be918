/**
 * What a disk is made of, in words that can be sent to a thread, and the back ends that come of it.
 *
 * @module
 */
import type { Words } from '#memory'
import type { DeviceHost } from '../../vhost/index.js'
import { Uring } from '../../os/uring.js'
import type { BackEnd } from './back-end.js'
import { cachedUse, directUse, places, RingBackEnd } from './ring.js'
import type { FaultRule } from './fault-rules.js'
import { FaultsBackEnd } from './faults.js'
import { FileBackEnd } from './file.js'
import { MemoryBackEnd } from './memory.js'
import { openImage } from './open-image.js'
import { OverlayBackEnd } from './overlay.js'

/** A file, or a block device; `direct` is past the page cache. */
export interface FileLayer {
  readonly kind: 'file'
  readonly file: string
  readonly direct: boolean
}

/** A file that has what was written, over a layer that stays as it is. */
export interface OverlayLayer {
  readonly kind: 'overlay'
  readonly over: Layer
  readonly file: string
  readonly locks: Words
}

/** Faults on the way to another layer. */
export interface FaultsLayer {
  readonly kind: 'faults'
  readonly over: Layer
  readonly rules: readonly FaultRule[]
  readonly seed: number
  /** See `faults.ts` and `journal.ts`. */
  readonly words: Words
  /** The file that has what unflushed writes replaced; null where nothing needs it. */
  readonly journal: string | null
}

/** The bytes of a disk, or a layer over others. */
export type Layer =
  | FileLayer
  | { readonly kind: 'memory'; readonly bytes: SharedArrayBuffer }
  | OverlayLayer
  | FaultsLayer

/** How layers are opened. */
export interface Opening {
  readonly readOnly: boolean
  /** The instance of the control thread takes the locks, and moves no bytes. */
  readonly host: Pick<DeviceHost, 'isControl' | 'sleepBy'>
  /** Calls later, in this thread. */
  readonly after: (ms: number, run: () => void) => void
}

/**
 * Opens a layer, and those below it.
 *
 * @throws UserWorkerError ERR_DISK_IMAGE: a file cannot be served
 */
export function openLayer(layer: Layer, opening: Opening): BackEnd {
  switch (layer.kind) {
    case 'file':
      return openFile(layer, opening)
    case 'memory':
      return new MemoryBackEnd(layer.bytes)
    case 'overlay':
      return openOverlay(layer, opening)
    case 'faults': {
      const { rules, seed, words, journal } = layer
      const { after, host } = opening
      const over = openLayer(layer.over, opening)
      // In the control thread, faults do not happen: it moves no requests.
      if (host.isControl) return over
      return new FaultsBackEnd({ over, rules, seed, words, journal, after })
    }
    default:
      return layer satisfies never
  }
}

function openFile({ file, direct }: FileLayer, { readOnly, host }: Opening): BackEnd {
  const { isControl } = host
  const plain = new FileBackEnd(openImage(file, { readOnly, direct, lock: isControl }))
  const uring = ringFor(isControl && direct)
  if (uring === null) return plain
  try {
    if (!isControl) return new RingBackEnd(plain, uring, direct ? directUse : cachedUse, host)
  } catch (error) {
    // The thread sleeps by another disk's ring. Through the page cache it does without one.
    uring.close()
    if (!direct) return plain
    plain.close()
    throw error
  }
  uring.close()
  return plain
}

function openOverlay({ over, file, locks }: OverlayLayer, opening: Opening): BackEnd {
  const { host, after } = opening
  const below = openLayer(over, { ...opening, readOnly: true })
  try {
    return new OverlayBackEnd({ over: below, file, locks, isFirst: host.isControl, after })
  } catch (error) {
    below.close()
    throw error
  }
}

/** A ring; null where there is none to be had. */
function ringFor(isToWarn: boolean): Uring | null {
  try {
    return new Uring(places)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (isToWarn)
      process.emitWarning(
        `There is no io_uring here (${code}): requests past the page cache are done one by one`,
        { code: 'USERWORKER_NO_IO_URING' },
      )
    return null
  }
}
