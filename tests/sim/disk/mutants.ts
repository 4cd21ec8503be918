/**
 * Changes of the library that make it wrong: the simulation finds each of them.
 *
 * @module
 */

/** A piece of a file below `src/`, and what stands there instead. */
export interface Mutant {
  readonly name: string
  readonly file: string
  readonly before: string
  readonly after: string
}

export const mutants: readonly Mutant[] = [
  {
    name: 'the driver is not called for what a halt shows',
    file: 'vhost/worker/vring.ts',
    before: 'if (queue.shouldCall() && call !== null) tell(call)',
    after: "if (queue.shouldCall() && call !== null && this.#state === 'running') tell(call)",
  },
  {
    name: 'what is written is not logged',
    file: 'vhost/worker/vring.ts',
    before: 'this.#mark(request.writable, written)',
    after: '',
  },
  {
    name: 'a vring that stops does not wait for what is under way',
    file: 'vhost/worker/vring.ts',
    before: 'if (this.#queue.underWay > 0) {\n      // Waker',
    after: 'if (this.#queue.underWay > 64) {\n      // Waker',
  },
  {
    name: 'the work that is added while a list is run is forgotten',
    file: 'vhost/worker/work-list.ts',
    before: 'memory.store(list, NEXT + item, 0)\n}',
    after: '}',
  },
  {
    name: 'the last sector is beyond the disk',
    file: 'devices/blk/disk-request.ts',
    before: 'sectors <= capacity - sector',
    after: 'sectors < capacity - sector',
  },
  {
    name: 'a write-through disk does not flush',
    file: 'devices/blk/disk-request.ts',
    before: "if (outcome === 'done' && this.#isFlushDue)",
    after: "if (outcome === 'later' && this.#isFlushDue)",
  },
  {
    name: 'an overlay copies nothing behind a write',
    file: 'devices/blk/overlay.ts',
    before: 'if (!this.#file.has(last)) yield this.#copyUp(to, endOfLast)',
    after: '',
  },
]
