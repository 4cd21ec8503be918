/**
 * What a device gets to do: one descriptor chain, checked, with its parts that may be read and those
 * that may be written (VIRTIO 1.x, 2.7.4).
 *
 * @module
 */

/**
 * The bytes of one direction of a request, as the guest has laid them out: pieces of memory that the
 * border has checked, in order. Where pieces begin and end means nothing to a device (VIRTIO 1.x,
 * 2.7.4.1): it goes by offsets from the beginning.
 *
 * The memory is the guest's: another of its processors may change it at any time. So what is checked is
 * copied first, and never read twice.
 */
export interface Segments {
  /** How many pieces there are. Adjacent ones count as one. */
  readonly count: number
  /** Bytes in all. */
  readonly length: number
  /** Where a piece begins in this process's memory, for system calls; 0 where nothing is mapped. */
  address(index: number): number
  /** The bytes of a piece. */
  size(index: number): number
  /** A view of a piece. */
  bytes(index: number): Uint8Array
  /** Copies bytes out. @returns how many: fewer than asked for where they end before */
  read(offset: number, target: Uint8Array): number
  /** Copies bytes in. @returns how many: fewer than given where there is no more room */
  write(offset: number, source: Uint8Array): number
  /** Sets bytes, to 0 unless told otherwise. @returns how many were set */
  fill(offset: number, length: number, value?: number): number
}

/** A request of the driver's. */
export interface Request {
  /** Its number while it is under way: the index of the chain's first descriptor. */
  readonly head: number
  /** What the driver wrote for the device. */
  readonly readable: Segments
  /** Where the device writes its answer. */
  readonly writable: Segments
  /**
   * Gives the request back to the driver, once. The request and its segments are not to be touched
   * afterwards.
   *
   * @param written - how many bytes of {@link writable}, from its beginning, the device has written
   * @throws Error: it has been given back before; RangeError: there is no room for so many
   */
  complete(written: number): void
}
