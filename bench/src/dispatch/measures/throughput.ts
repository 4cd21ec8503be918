/**
 * Many works at a time: how many end in a second.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { throughput } from '../in-flight.js'
import { single, type Measure, type Subject } from '../measure.js'

const tiny =
  (count: number) =>
  async ({ open, workers, spans }: Subject): Promise<number> => {
    const pool = await open({ workers, overlapping: false })
    return throughput(count, spans, (index) => pool.add(index, 1))
  }

/** So many values are in flight, whatever their size. */
const echoes = 16

const echo =
  (value: unknown) =>
  async ({ open, workers, spans }: Subject): Promise<number> => {
    const pool = await open({ workers, overlapping: false })
    const back = await pool.run('echo', value)
    if (!isDeepStrictEqual(back, value)) throw new Error('what came back is not what was sent')
    return throughput(echoes, spans, () => pool.run('echo', value))
  }

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(23).slice(0, 1024)

/** An answer of a service, say: about 1 KB as JSON. */
const record = {
  id: 4711,
  name: 'Ada Lovelace',
  active: true,
  score: 0.75,
  parent: null,
  tags: ['alpha', 'beta', 'gamma', 'delta'],
  address: { street: '12 St James Square', city: 'London', zip: 'SW1Y 4JH', at: [51.5, -0.13] },
  orders: Array.from({ length: 9 }, (_, index) => ({
    order: 1000 + index,
    article: `article-${index}`,
    amount: index + 1,
    price: 19.99 * (index + 1),
    paid: index % 2 === 0,
  })),
}

/** A buffer of its own, whose view begins where it begins. */
const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7)

const awaiting = 100

async function timers({ open, workers, spans }: Subject): Promise<number> {
  const pool = await open({ workers, overlapping: true })
  return throughput(awaiting, spans, () => pool.run('wait', 1))
}

async function files({ open, workers, spans }: Subject): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'userworker-bench-'))
  try {
    const file = join(folder, 'page')
    writeFileSync(file, bytes(4096))
    const pool = await open({ workers, overlapping: true })
    return await throughput(awaiting, spans, () => pool.run('read', file))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const throughputs: readonly Measure[] = [
  single('in-flight-16', 'works/s', tiny(16)),
  single('in-flight-100', 'works/s', tiny(100)),
  single('in-flight-10000', 'works/s', tiny(10_000)),
  single('one-core-in-flight-100', 'works/s', tiny(100), { onOneCpu: true }),
  single('string-1k', 'works/s', echo(text)),
  single('object-1k', 'works/s', echo(record)),
  single('bytes-64k', 'works/s', echo(bytes(2 ** 16))),
  single('bytes-1m', 'works/s', echo(bytes(2 ** 20))),
  single('timer', 'works/s', timers),
  single('file-read', 'works/s', files),
]
