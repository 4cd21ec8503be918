/**
 * The module of a disk: `serve` loads it into each thread.
 *
 * @module
 */
import type { Words } from '#memory'
import type { Device, DeviceHost } from '../../vhost/index.js'
import type { DiskTraits } from './config.js'
import { Delays } from './delays.js'
import { Disk } from './disk.js'
import { openLayer, type Layer } from './layers.js'
import { RateLimit } from './rate-limit.js'

/** What a disk is made by, in each thread. */
export interface DiskData extends DiskTraits {
  readonly layer: Layer
  /** What the instances share; see `shared-state.ts`. */
  readonly words: Words
  readonly serial: string
  /** In a second; null is no limit. */
  readonly bps: number | null
  readonly iops: number | null
}

/** Makes the instance of a thread. */
export default function makeDisk(data: DiskData, host: DeviceHost): Device {
  const { words, bps, iops, readOnly } = data
  const delays = new Delays(host)
  const after = (ms: number, run: () => void): void => delays.after(ms, run)
  const backEnd = openLayer(data.layer, { readOnly, host, after })
  const isLimited = (bps ?? iops) !== null && !host.isControl
  const limit = isLimited ? new RateLimit(words, { bps, iops }) : null
  const disk = new Disk({ ...data, backEnd, limit, after })
  return Object.assign(disk, {
    close: () => {
      delays.close()
      backEnd.close()
    },
  })
}
