/**
 * What the command asks of a disk that is served.
 *
 * @module
 */

/** How a disk is served. */
export interface DiskOptions {
  readonly socket: string
  readonly readOnly?: boolean
  readonly direct?: boolean
  readonly queues: number
  readonly overlay?: string
  readonly faults?: string
  readonly bps?: number
  readonly iops?: number
  readonly trace?: string
}

/** What was done since it was opened. Counters go round at 2^32. */
export type Counts = Readonly<
  Record<
    'reads' | 'writes' | 'flushes' | 'discards' | 'zeroes' | 'bytesRead' | 'bytesWritten',
    number
  >
>

/** A disk that is served. */
export interface ServedDisk {
  close(): Promise<void>
  resize(bytes: number): Promise<void> | void
  stats(): Counts
}

/** @throws Error with one sentence for the user */
export type ServeDisk = (file: string, options: DiskOptions) => Promise<ServedDisk>
