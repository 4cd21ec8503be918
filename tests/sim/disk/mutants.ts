/**
 * Changes of the library that the world of the disk notices.
 *
 * @module
 */
import type { Mutant } from '../mutant.js'

export const mutants: readonly Mutant[] = [
  {
    breaks: 'the driver is not called for what a halt shows',
    file: 'src/vhost/worker/vring.ts',
    from: 'if (queue.shouldCall() && call !== null) tell(call)',
    to: "if (queue.shouldCall() && call !== null && this.#state === 'running') tell(call)",
    seed: 16,
  },
  {
    breaks: 'what is written is not logged',
    file: 'src/vhost/worker/vring.ts',
    from: 'this.#mark(request.writable, written)',
    to: '',
    seed: 3,
  },
  {
    breaks: 'a vring that stops does not wait for what is under way',
    file: 'src/vhost/worker/vring.ts',
    from: 'if (this.#queue.underWay > 0) {\n      // Waker',
    to: 'if (this.#queue.underWay > 64) {\n      // Waker',
    seed: 1,
  },
  {
    breaks: 'the work that is added while a list is run is forgotten',
    file: 'src/vhost/worker/work-list.ts',
    from: 'memory.store(list, NEXT + item, 0)\n}',
    to: '}',
    seed: 1,
  },
  {
    breaks: 'the last sector is beyond the disk',
    file: 'src/devices/blk/disk-request.ts',
    from: 'sectors <= capacity - sector',
    to: 'sectors < capacity - sector',
    seed: 1,
  },
  {
    breaks: 'a write-through disk does not flush',
    file: 'src/devices/blk/disk-request.ts',
    from: "if (outcome === 'done' && this.#isFlushDue)",
    to: "if (outcome === 'later' && this.#isFlushDue)",
    seed: 19,
  },
  {
    breaks: 'an overlay copies nothing behind a write',
    file: 'src/devices/blk/overlay.ts',
    from: 'if (!this.#file.has(last)) yield this.#copyUp(to, endOfLast)',
    to: '',
    seed: 8,
  },
  {
    breaks: 'a thread that ends while others come is not noticed',
    file: 'src/vhost/vhost-device.ts',
    from: 'workers.forEach(checkLives)',
    to: '',
    seed: 69,
  },
]
