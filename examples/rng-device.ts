/**
 * An entropy device (virtio-rng, VIRTIO 1.x section 5.4): a device in full. A guest asks for random bytes, and
 * gets them from this system, or from a seed, where a test wants the same ones each time.
 */
import { createCipheriv, createHash, randomFillSync } from 'node:crypto'
import type { DeviceFactory } from 'userworker/vhost'

export interface RngData {
  /** The same bytes each time for the same seed. Without it they are random. */
  seed?: string
}

const rng: DeviceFactory<RngData> = ({ seed }) => {
  const fill = seed === undefined ? randomFillSync : seeded(seed)
  return {
    id: 4,
    process({ writable }) {
      const bytes = new Uint8Array(writable.length)
      return writable.write(0, fill(bytes))
    },
  }
}

/** Bytes that follow from a seed: the key stream of a cipher. */
function seeded(seed: string): (bytes: Uint8Array) => Uint8Array {
  const key = createHash('sha256').update(seed).digest()
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  return (bytes) => stream.update(bytes)
}

export default rng
