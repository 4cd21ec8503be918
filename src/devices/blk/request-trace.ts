/**
 * A line of JSON about each request, at the end of a file.
 *
 * @module
 */
import { now } from '../../os/clock.js'
import type { DiskRequest } from './disk-request.js'
import * as spec from './spec.js'
import { elapsedMs, TraceFile } from './trace-file.js'

const namesOf = (prefix: string): ReadonlyMap<number, string> =>
  new Map(
    Object.entries(spec).flatMap(([name, value]) =>
      name.startsWith(prefix) && typeof value === 'number' ? [[value, name] as const] : [],
    ),
  )
const types = namesOf('VIRTIO_BLK_T_')
const statuses = namesOf('VIRTIO_BLK_S_')

export class RequestTrace {
  readonly #file: TraceFile
  readonly #thread: string

  /** @throws the system's error: the file cannot be opened */
  constructor(file: string, thread: string) {
    this.#file = new TraceFile(file)
    this.#thread = thread
  }

  /** A request is over, and its memory is still there. */
  note({ header, request, vring, length, status, cameMs }: DiskRequest): void {
    const { type, sector } = header
    this.#file.add({
      kind: 'request',
      ms: elapsedMs(),
      thread: this.#thread,
      vring,
      head: request.head,
      type: type < 0 ? 'no header' : (types.get(type) ?? type),
      sector,
      bytes: length,
      status: statuses.get(status),
      us: Math.round((now() - cameMs) * 1000),
    })
  }

  close(): void {
    this.#file.close()
  }
}
