/**
 * Handlers in child processes, which are killed from outside.
 *
 * @module
 */
import { adding } from './adding.js'
import { queueOf, type Actor, type Queue, type Stage } from './actor.js'

export class Isolated implements Actor {
  readonly name = 'isolated'
  readonly #stage: Stage
  readonly #queue: Queue

  constructor(stage: Stage) {
    this.#stage = stage
    this.#queue = queueOf(stage.ledger, {
      name: 'isolated',
      isolation: 'process',
      maxWorkers: { bounded: 1, unbounded: 1 },
      minWorkers: 1,
      idleTimeoutMs: Infinity,
    })
  }

  async turn(): Promise<void> {
    const { ledger, dice } = this.#stage
    await this.#queue.ready().catch(() => {})
    const works: Promise<unknown>[] = []
    for (let count = 0; count < 10; count++) {
      // What runs at the kill dies, and nothing else does.
      works.push(adding(this.#stage, this.#queue, 'add, isolated', {}, ['ERR_WORKER_DIED']))
      if (count !== 5) continue
      const submit = (place: number): Promise<string> =>
        this.#queue.run('rest', [place, dice(50)], {
          onProgress: () => {},
        })
      const value = (said: string): boolean => said === 'rested'
      works.push(ledger.work('rest, isolated', submit, { value, errors: ['ERR_WORKER_DIED'] }))
    }
    if (dice(2) === 0) this.#kill()
    await Promise.all(works)
  }

  async rest(): Promise<void> {
    const { ledger } = this.#stage
    await ledger.step('ready, isolated', () => this.#queue.ready())
    await adding(this.#stage, this.#queue, 'add, isolated')
    await ledger.step('broadcast, isolated', () => this.#queue.broadcast('collect'))
    ledger.check(this.name, this.#queue)
  }

  async close(): Promise<void> {
    await this.#stage.ledger.close(this.name, this.#queue)
  }

  #kill(): void {
    for (const { processId } of this.#queue.workers()) {
      if (processId === null) continue
      const { works } = this.#stage.ledger
      works.set('kill -9', (works.get('kill -9') ?? 0) + 1)
      try {
        process.kill(processId, 'SIGKILL')
      } catch {
        // It is gone already.
      }
    }
  }
}
