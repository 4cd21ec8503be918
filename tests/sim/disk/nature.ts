/**
 * What a simulated disk is like: its layers and faults, and what the reference knows of them.
 *
 * @module
 */
import { closeSync } from 'node:fs'
import { built } from '../built.js'
import type { DiskData } from '../../../src/devices/blk/device.js'
import type { FaultRule } from '../../../src/devices/blk/fault-rules.js'
import type { FaultsLayer, Layer } from '../../../src/devices/blk/layers.js'
import type { SimulatedProcess } from './process.js'
import { failed, ok, type Fate, type Nature } from './requests.js'
import { fillSector, sectorBytes, Sectors } from './sectors.js'
import type { System } from './system.js'

const { memoryFile } = await built<typeof import('../../../src/os/mapping.js')>('os/mapping.js')
const { faultsOf } = await built<typeof import('../../../src/devices/blk/fault-rules.js')>(
  'devices/blk/fault-rules.js',
)

const mostSectors = 160

export class DiskNature implements Nature {
  readonly sectors = new Sectors()
  readonly readOnly: boolean
  readonly serial = 'simulated disk'
  readonly rules: readonly FaultRule[]
  readonly isVolatile: boolean
  readonly queues: number
  readonly limits: { bps: number | null; iops: number | null }
  readonly hasOverlay: boolean
  capacity: number
  /** Whether each write is flushed; null while nobody knows. */
  isThrough: boolean | null = false
  /** Whether the driver took flushes. */
  canFlush = true
  readonly bytes = new SharedArrayBuffer(mostSectors * sectorBytes)
  readonly #system: System
  readonly #seed: number
  #overlay: number | null = null
  #journal: number | null = null

  constructor(system: System, queues: number) {
    this.#system = system
    this.#seed = system.below(2 ** 31)
    this.queues = queues
    this.readOnly = system.chance(7)
    const { rules, isVolatile } = faultsOf(this.#chosenFaults())
    this.rules = rules
    this.isVolatile = isVolatile
    this.hasOverlay = system.chance(25)
    this.capacity = this.hasOverlay ? mostSectors : mostSectors - system.below(40)
    this.limits = system.chance(15)
      ? system.pick([
          { bps: 200_000, iops: null },
          { bps: null, iops: 300 },
          { bps: 400_000, iops: 500 },
        ])
      : { bps: null, iops: null }
    this.#fill()
  }

  /** The words of a file in memory that each process opens again. */
  #file(): number {
    return memoryFile('simulated', 0)
  }

  #fill(): void {
    this.sectors.grow(mostSectors)
    const bytes = new Uint8Array(this.bytes)
    for (let sector = 0; sector < mostSectors; sector++) {
      const value = this.#system.chance(50) ? this.sectors.newValue() : 0
      fillSector(value, bytes.subarray(sector * sectorBytes, (sector + 1) * sectorBytes))
      this.sectors.begins(sector, value)
    }
  }

  #chosenFaults(): string | FaultRule[] {
    const { below } = this.#system
    const first = below(100)
    const range = `sectors=${first}-${first + below(20)}`
    const delay = `delay:any:ms=${1 + below(5)},p=0.${1 + below(8)}`
    const of = [
      [delay],
      [delay, `delay:read:ms=${1 + below(9)},p=0.5`],
      [`error:read:${range}`, `error:write:${range}`, delay],
      ['error:any:p=0.1'],
      ['torn:write:p=0.2', delay],
      [`torn:write:${range},answer=ok`],
      [`lose:write:${range}`, delay],
      ['lose:flush:p=0.5', delay],
      ['volatile'],
      ['volatile', delay],
    ]
    return this.#system.chance(30) ? [] : this.#system.pick(of).join('; ')
  }

  capacities(): readonly number[] {
    return [this.capacity]
  }

  writesThrough(): boolean {
    return (!this.canFlush || this.isThrough === true) && this.fateOf('flush', 0, 0).isSure
  }

  fateOf(
    kind: 'read' | 'write' | 'flush' | 'discard' | 'zero',
    first: number,
    count: number,
  ): Fate {
    const statuses = new Set<number>()
    let isSure = true
    let isDecided = false
    for (const rule of this.rules) {
      if (isDecided || rule.action === 'delay') continue
      if (rule.operation !== 'any' && rule.operation !== kind) continue
      const { sectors, p = 1 } = rule
      if (sectors !== undefined && (first + count <= sectors[0] || first > sectors[1])) continue
      const isOk = rule.action === 'lose' || (rule.action === 'torn' && rule.answer === 'ok')
      statuses.add(isOk ? ok : failed)
      if (isOk) isSure = false
      isDecided = p === 1
    }
    if (!isDecided) statuses.add(ok)
    // A write may be one with a flush.
    const isChange = kind === 'write' || kind === 'zero'
    if (isChange && this.fateOf('flush', 0, 0).statuses.includes(failed)) statuses.add(failed)
    return { statuses: [...statuses], isSure }
  }

  /** What a process is given to serve it. */
  dataFor({ library }: SimulatedProcess, resized: number): DiskData {
    const data = {
      words: library.diskWords(0),
      readOnly: this.readOnly,
      queues: this.queues,
      blockSize: sectorBytes,
      serial: this.serial,
      ...this.limits,
      trace: null,
      resized,
    }
    return { ...data, layer: this.#layerFor(library) }
  }

  #layerFor(library: SimulatedProcess['library']): Layer {
    let layer: Layer = { kind: 'memory', bytes: this.bytes }
    if (this.hasOverlay) {
      this.#overlay ??= this.#file()
      const file = `/proc/self/fd/${this.#overlay}`
      layer = { kind: 'overlay', over: layer, file, locks: library.overlayLocks() }
    }
    if (this.rules.length === 0 && !this.isVolatile) return layer
    const { rules } = this
    const words = library.faultWords(rules)
    if (this.#journal !== null) closeSync(this.#journal)
    this.#journal = this.isVolatile ? this.#file() : null
    const journal = this.#journal === null ? null : `/proc/self/fd/${this.#journal}`
    return { kind: 'faults', over: layer, rules, seed: this.#seed, words, journal }
  }

  /** The power fails: what was not flushed is gone. Nobody serves it. */
  crash({ library }: SimulatedProcess, { over, words, rules, journal }: FaultsLayer): boolean {
    const host = { isControl: true, sleepBy: () => ({ close() {} }) }
    const below = library.openLayer(over, { readOnly: false, host, after: () => {} })
    const noted = new library.Journal(journal as string, words, 2 * rules.length)
    const isUndone = noted.undo(below)
    noted.close()
    below.close()
    this.sectors.crashed()
    return isUndone
  }

  close(): void {
    if (this.#overlay !== null) closeSync(this.#overlay)
    if (this.#journal !== null) closeSync(this.#journal)
  }
}
