/**
 * What a queue's workers write to their standard outputs, where the queue was told to capture it: one
 * stream for all of them.
 *
 * Chunks come as they were written, those of a worker in their order. Who does not read holds the
 * workers' writing up, and no work: the rest stays in their threads, until they end.
 *
 * @module
 */
import type { Readable } from 'node:stream'
import { builtin } from '../os/builtin.js'
import type { UserWorker } from '../worker/index.js'

/** One of the two outputs of all workers. */
class Merged {
  readonly stream: Readable
  readonly #sources = new Set<Readable>()
  #ended = false

  constructor() {
    this.stream = new (builtin('node:stream').Readable)({
      read: () => {
        for (const source of this.#sources) source.resume()
      },
    })
  }

  add(source: Readable | null): void {
    if (source === null) return
    this.#sources.add(source)
    source.on('data', (chunk: Buffer) => {
      if (this.#ended || this.stream.destroyed || this.stream.push(chunk)) return
      for (const each of this.#sources) each.pause()
    })
  }

  /** The thread is gone: all that it has written is taken now. */
  drain(source: Readable | null): void {
    if (source === null) return
    // Each read is a 'data'.
    while (source.read() !== null);
    this.#sources.delete(source)
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.stream.push(null)
  }
}

/** What the workers of a queue write. */
export class Output {
  readonly #stdout: Merged | null
  readonly #stderr: Merged | null

  constructor({ stdout = false, stderr = false }: { stdout?: boolean; stderr?: boolean }) {
    this.#stdout = stdout ? new Merged() : null
    this.#stderr = stderr ? new Merged() : null
  }

  get stdout(): Readable | null {
    return this.#stdout?.stream ?? null
  }

  get stderr(): Readable | null {
    return this.#stderr?.stream ?? null
  }

  /** Takes what a worker writes, also what it has written so far. To be called before others hear of its end. */
  add(worker: UserWorker): void {
    if (this.#stdout === null && this.#stderr === null) return
    this.#stdout?.add(worker.stdout)
    this.#stderr?.add(worker.stderr)
    worker.onExit(() => {
      this.#stdout?.drain(worker.stdout)
      this.#stderr?.drain(worker.stderr)
    })
  }

  /** No worker is left. */
  end(): void {
    this.#stdout?.end()
    this.#stderr?.end()
  }
}
