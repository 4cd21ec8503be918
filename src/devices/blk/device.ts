/**
 * The module of a disk: `serve` loads it into each thread.
 *
 * @module
 */
import type { Words } from '#memory'
import type { Device, DeviceHost } from '../../vhost/index.js'
import type { BackEnd } from './back-end.js'
import type { DiskTraits } from './config.js'
import { Delays } from './delays.js'
import { Disk } from './disk.js'
import { openLayer, type Layer, type Opening } from './layers.js'
import { clear } from '../../os/events.js'
import { RateLimit } from './rate-limit.js'
import { RequestTrace } from './request-trace.js'
import { setCapacity } from './disk-words.js'

/** What a disk is made by, in each thread. */
export interface DiskData extends DiskTraits {
  readonly layer: Layer
  /** What the instances share; see `disk-words.ts`. */
  readonly words: Words
  readonly serial: string
  /** In a second; null is no limit. */
  readonly bps: number | null
  readonly iops: number | null
  /** A file for lines about each request; null for none. */
  readonly trace: string | null
  /** An event that tells the control thread that the capacity is another. */
  readonly resized: number
}

/** Makes the instance of a thread. */
export default function makeDisk(data: DiskData, host: DeviceHost): Device {
  const { words, bps, iops } = data
  const { isControl } = host
  const delays = new Delays(host)
  const after = (ms: number, run: () => void): void => delays.after(ms, run)
  // In the control thread too: so it is refused at once where it cannot be written.
  const trace = data.trace === null ? null : new RequestTrace(data.trace, host.name)
  const backEnd = opened(data, { readOnly: data.readOnly, host, after }, trace)
  const disk = new Disk({
    ...data,
    blockSize: Math.max(data.blockSize, backEnd.alignment),
    backEnd,
    limit: (bps ?? iops) === null || isControl ? null : new RateLimit(words, { bps, iops }),
    after,
    trace: trace === null ? null : (request) => trace.note(request),
  })
  const resizes = isControl ? followSize(data, backEnd.size, host) : null
  return Object.assign(disk, {
    close: () => {
      resizes?.close()
      trace?.close()
      delays.close()
      backEnd.close()
    },
  })
}

function opened({ layer }: DiskData, opening: Opening, trace: RequestTrace | null): BackEnd {
  try {
    return openLayer(layer, opening)
  } catch (error) {
    trace?.close()
    throw error
  }
}

/** The control thread says how large the disk is, and tells the driver when it is so no more. */
function followSize(
  { words, resized }: DiskData,
  size: number,
  host: DeviceHost,
): { close(): void } {
  setCapacity(words, size)
  return host.watch(resized, () => {
    clear(resized)
    host.configChanged()
  })
}
