/**
 * A device for tests: each request says how it is to be served, and shared words record what happened, in
 * whatever threads it has instances.
 *
 * @module
 */
import type { Request } from '../virtio/index.js'
import type { Device, DeviceHost } from './device.js'

/** How a request is to be served: its first byte. The second is a time in milliseconds. */
export const Serve = {
  /** At once. */
  NOW: 0,
  /** By a promise, after the time. */
  PROMISE: 1,
  /** By `complete`, after the time, without a promise. */
  LATER: 2,
  THROW: 3,
  REJECT: 4,
  /** The thread is busy for the time. */
  SLOW: 5,
  /** By a promise, once the gate is open. */
  GATE: 6,
  /** By what is no answer. */
  NONSENSE: 7,
  /** At once, and by a promise after that. */
  TWICE: 8,
} as const

/** The words. `VRINGS` has four for each vring: requests, whether one runs, overlaps, disorder. */
export const Word = {
  OPENED: 0,
  CLOSED: 1,
  CALLS: 2,
  GATE: 3,
  /** Not 0: the instances of workers cannot be made. */
  REFUSE: 4,
  /** Not 0: `close` throws. */
  BAD_CLOSE: 5,
  NEGOTIATED: 6,
  THREAD: 7,
  VRINGS: 16,
} as const

export interface Data {
  readonly words: Int32Array<SharedArrayBuffer>
  readonly vrings: number
  readonly id?: number
}

/** A request: how it is to be served, and its number, which has to rise by 1 in a vring; 0: none. */
export function asking(how: number, ms = 0, number = 0): Uint8Array {
  const bytes = new Uint8Array(8)
  bytes[0] = how
  bytes[1] = ms
  new DataView(bytes.buffer).setUint32(4, number, true)
  return bytes
}

export default function device({ words, vrings, id = 42 }: Data, host: DeviceHost): Device {
  if (!host.isControl) {
    if (words[Word.REFUSE] !== 0) throw new Error('This device is not to be had')
    Atomics.add(words, Word.OPENED, 1)
  }
  const process = (request: Request, vring: number): number | void | Promise<number> => {
    Atomics.add(words, Word.CALLS, 1)
    const at = Word.VRINGS + 4 * vring
    if (Atomics.exchange(words, at + 1, 1) === 1) Atomics.add(words, at + 2, 1)
    try {
      const bytes = new Uint8Array(8)
      request.readable.read(0, bytes)
      const number = new DataView(bytes.buffer).getUint32(4, true)
      const before = Atomics.add(words, at, 1)
      if (number !== 0 && number !== before + 1) Atomics.add(words, at + 3, 1)
      return serve(request, bytes, words)
    } finally {
      Atomics.store(words, at + 1, 0)
    }
  }
  return {
    id,
    vrings,
    process,
    config: () => new Uint8Array([1, 2, 3, 4]),
    negotiated: () => void Atomics.add(words, Word.NEGOTIATED, 1),
    close() {
      if (host.isControl) return
      Atomics.add(words, Word.CLOSED, 1)
      if (words[Word.BAD_CLOSE] !== 0) throw new Error('This device does not close')
    },
  }
}

function serve(
  request: Request,
  bytes: Uint8Array,
  words: Data['words'],
): number | void | Promise<number> {
  const [how = 0, ms = 0] = bytes
  const answer = (): number => request.writable.write(0, bytes)
  switch (how) {
    case Serve.PROMISE:
      return after(ms).then(answer)
    case Serve.LATER:
      void after(ms).then(() => request.complete(answer()))
      return
    case Serve.THROW:
      throw new Error('This request is thrown back')
    case Serve.REJECT:
      return after(ms).then(() => {
        throw new Error('This request is rejected')
      })
    case Serve.SLOW:
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
      return answer()
    case Serve.TWICE:
      request.complete(answer())
      return after(ms).then(() => 8)
    case Serve.NONSENSE:
      return 'done' as never
    case Serve.GATE:
      return opened(words).then(answer)
    default:
      return answer()
  }
}

async function opened(words: Data['words']): Promise<void> {
  while (Atomics.load(words, Word.GATE) === 0) await after(1)
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
