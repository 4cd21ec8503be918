/**
 * Descriptor chains: the walk along them, with all that has to be checked on the way (VIRTIO 1.x, 2.7.5).
 *
 * The guest may change a descriptor at any time. So each is read once, field by field, into local variables,
 * and these are checked and used.
 *
 * @module
 */
import { hex, type GuestMemory, type Place } from './memory.js'
import type { Request } from './request.js'
import { RingError } from './ring-error.js'
import { Pieces } from './segments.js'
import {
  descriptorBytes,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
  VIRTQ_DESC_F_WRITE,
} from './spec.js'

/** The most bytes of a chain, of both directions together (2.7.5). */
const mostBytes = 2 ** 32

/**
 * A table may have so many descriptors, also where the queue has fewer. A driver should not make chains
 * that are longer than the queue (2.7.5.3.1), but Linux does in a table, and QEMU takes up to 1024.
 */
const leastTable = 1024

/** A request as it lies in a queue. Used again for the next. */
export class Chain implements Request {
  head = -1
  /** Another for each request: who holds on to one can see whether it is still the same. */
  serial = 0
  readonly readable: Pieces = new Pieces()
  readonly writable: Pieces = new Pieces()
  /** Whether there is a writable descriptor, be it of zero bytes. */
  hasWritable = false
  readonly #completed: (chain: Chain, written: number) => void
  #isOpen = false

  /** @param completed - hears that the device is done with it */
  constructor(completed: (chain: Chain, written: number) => void) {
    this.#completed = completed
  }

  /** It is another request now, without pieces yet. */
  begin(head: number): void {
    this.head = head
    this.serial++
    this.readable.clear()
    this.writable.clear()
    this.hasWritable = false
    this.#isOpen = true
  }

  complete(written: number): void {
    if (!this.#isOpen) throw new Error('This request has been given back before')
    if (!(written >= 0 && written <= this.writable.length))
      throw new RangeError(`${written} bytes do not fit into ${this.writable.length}`)
    this.#isOpen = false
    this.#completed(this, written)
  }
}

/** Reads the chains of one queue. */
export class ChainReader {
  readonly #memory: GuestMemory
  readonly #table: Place
  readonly #size: number
  readonly #mayBeIndirect: boolean

  /** @param table - where the descriptor table of the queue lies, which has `size` entries */
  constructor(memory: GuestMemory, table: Place, size: number, mayBeIndirect: boolean) {
    this.#memory = memory
    this.#table = table
    this.#size = size
    this.#mayBeIndirect = mayBeIndirect
  }

  /**
   * Reads the chain that begins at a descriptor.
   *
   * Descriptors of zero bytes are no pieces: the specification does not forbid them.
   *
   * @throws RingError: it breaks a rule, and `chain` holds a part of it
   */
  read(head: number, chain: Chain): void {
    const size = this.#size
    if (head >= size) throw new RingError(`A chain begins at descriptor ${head} of ${size}`)
    chain.begin(head)
    let { view } = this.#table.window
    let first = this.#table.offset
    let count = size
    let isInTable = false
    let index = head
    let steps = 0
    for (;;) {
      const at = first + index * descriptorBytes
      // Of an address from 2^53 on only the rank is kept, and that is beyond all memory.
      const address = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
      const length = view.getUint32(at + 8, true)
      const last = view.getUint32(at + 12, true)
      if ((last & VIRTQ_DESC_F_INDIRECT) !== 0) {
        if (isInTable) throw new RingError(`Chain ${head}: a table within a table of descriptors`)
        const table = this.#enter(head, address, length, last)
        view = table.window.view
        first = table.offset
        count = length / descriptorBytes
        isInTable = true
        index = 0
        steps = 0
        continue
      }
      this.#add(chain, address, length, (last & VIRTQ_DESC_F_WRITE) !== 0)
      if ((last & VIRTQ_DESC_F_NEXT) === 0) return
      index = last >>> 16
      if (index >= count)
        throw new RingError(`Chain ${head} goes on at descriptor ${index} of ${count}`)
      if (++steps >= count)
        throw new RingError(`Chain ${head} is a loop: it has more than ${count} descriptors`)
    }
  }

  #add(chain: Chain, address: number, length: number, isWritable: boolean): void {
    const { readable, writable, head } = chain
    if (!isWritable && chain.hasWritable)
      throw new RingError(`Chain ${head}: what is to be read comes after what is to be written`)
    if (isWritable) chain.hasWritable = true
    if (length === 0) return
    const region = this.#memory.find(address, length)
    if (region === null)
      throw new RingError(`Chain ${head}: ${length} bytes at ${hex(address)} are not in the memory`)
    const pieces = isWritable ? writable : readable
    pieces.add(region, address, length)
    if (readable.length + writable.length > mostBytes)
      throw new RingError(`Chain ${head} has more than ${mostBytes} bytes`)
  }

  #enter(head: number, address: number, length: number, flags: number): Place {
    if (!this.#mayBeIndirect)
      throw new RingError(`Chain ${head} has a table of its own, which was not agreed on`)
    if ((flags & VIRTQ_DESC_F_NEXT) !== 0)
      throw new RingError(`Chain ${head} goes on after its table of descriptors`)
    if (length === 0 || length % descriptorBytes !== 0)
      throw new RingError(`Chain ${head} has a table of ${length} bytes`)
    if (length / descriptorBytes > Math.max(this.#size, leastTable))
      throw new RingError(`Chain ${head} has a table of ${length / descriptorBytes} descriptors`)
    const table = this.#memory.place(address, length)
    if (table === null)
      throw new RingError(`Chain ${head}: its table at ${hex(address)} is not in the memory`)
    return table
  }
}
