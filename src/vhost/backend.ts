/**
 * What a session of the protocol drives: the vrings of one device, and the threads that serve them.
 *
 * @module
 */

/** A region of the guest's memory, mapped into this process. */
export interface MappedRegion {
  /** Its address for the guest: what descriptors hold. */
  readonly guest: number
  /** Its length in bytes. */
  readonly size: number
  /** Its address in the frontend's process: what the addresses of vrings are given in. */
  readonly user: number
  /** Its address in this process. */
  readonly address: number
}

/** Where the dirty log lies in this process: one bit for each 4096 bytes of guest memory. */
export interface DirtyLog {
  readonly address: number
  readonly size: number
}

/** All that a vring needs to run. Addresses of its parts are guest addresses. */
export interface VringSetup {
  /** Its number of descriptors: a power of two up to 32768. */
  readonly size: number
  readonly descriptors: number
  readonly available: number
  readonly used: number
  /** Where the used ring is logged, if it is (VHOST_VRING_F_LOG): a guest address; else null. */
  readonly usedLog: number | null
  /** The index of the next available entry that it takes. */
  readonly base: number
  /** The features that the driver took. */
  readonly features: bigint
  /** Its descriptors for events; null where there is none: then it is polled, or tells nobody. */
  readonly kick: number | null
  readonly call: number | null
  readonly error: number | null
  /**
   * Its part of the region that tracks requests under way; null where none was agreed on. Where there is
   * one, what it recovers says where the vring goes on, and {@link base} does not.
   */
  readonly inflight: { readonly address: number; readonly size: number } | null
  readonly log: DirtyLog | null
}

/** What may change while a vring runs. */
export type VringChange = Partial<Pick<VringSetup, 'call' | 'error' | 'log' | 'usedLog'>>

/**
 * A device with its threads, as a session sees it. Each promise resolves when the threads have done it:
 * so what was replaced, a descriptor or a mapping, may be closed or undone then.
 *
 * The caller keeps the order: no two calls about the same vring at once.
 */
export interface Backend {
  /** All features it offers, with those of the transport. */
  readonly features: bigint
  readonly vrings: number
  /** Reads the configuration space. Fewer bytes than asked for where it ends before. */
  readConfig(offset: number, length: number): Uint8Array
  /** @returns false where the driver may not write there */
  writeConfig(offset: number, bytes: Uint8Array): boolean
  /** Called by the backend when the configuration space has changed by itself; null when nobody asks. */
  onConfigChange: (() => void) | null
  /** Called when a vring was broken, by its driver or by the device: it stands until it is stopped. */
  onBroken: ((vring: number, error: Error) => void) | null
  /** Whether a vring was broken since it began. */
  isBroken(index: number): boolean
  /** Called when a worker has ended: its vrings stand, and the connection is to be dropped. */
  onFailure: ((error: Error) => void) | null
  /** Takes the device: its threads are there afterwards (VH-2). @throws UserWorkerError EBUSY (VH-1) */
  setOwner(): Promise<void>
  /** Stops all vrings, frees the threads, forgets the owner (VH-5). */
  resetOwner(): Promise<void>
  /** All threads use this memory from now on, and none that was there before. No vring runs meanwhile. */
  setMemory(regions: readonly MappedRegion[]): Promise<void>
  /**
   * A vring begins: it looks for requests at once, whether kicked or not. @throws Error: an address is
   * outside of the memory, or misaligned; the vring is as it was
   */
  startVring(index: number, setup: VringSetup): Promise<void>
  changeVring(index: number, change: VringChange): Promise<void>
  /**
   * A vring ends. Requests under way are finished before.
   *
   * @returns the index of the next available entry that it would have taken
   */
  stopVring(index: number): Promise<number>
}
