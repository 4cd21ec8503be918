/**
 * What serves the disks of the test: one face for our own and for another's.
 *
 * @module
 */

/** What is asked of a backend. */
export interface Wish {
  /** The image. With an overlay nothing is written to it. */
  readonly file: string
  readonly socket: string
  readonly queues: number
  /** Where writes go instead of into the image. */
  readonly overlay?: string
  /** Reads of these bytes of the disk fail, and nothing else does. */
  readonly failingReads?: { readonly offset: number; readonly length: number }
}

/** A disk that is served. */
export interface Served {
  /** Ends it as it likes to be ended. @throws Error: it objects */
  close(): Promise<void>
  /** Ends its process at once: it can tidy up nothing. */
  kill(): Promise<void>
  /** Makes the disk larger while it is in use. */
  resize(bytes: number): Promise<void>
  /** Whether its process is there. */
  readonly isAlive: boolean
}

export interface Backend {
  readonly name: string
  /** The programs that it needs. */
  readonly programs: readonly string[]
  /** What it cannot do of the steps. */
  readonly lacks: readonly string[]
  /** Resolves when a frontend can connect. */
  serve(wish: Wish): Promise<Served>
}
