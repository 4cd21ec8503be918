/**
 * A disk that is served all the time, to one guest after the other. What was written is read.
 *
 * @module
 */
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Frontend } from 'userworker/testing'
import { serveDisk, type ServedDisk } from 'userworker/vhost'
import { oneOf, pause, type Actor, type Stage } from './actor.js'

const [sectors, sectorBytes, mostSectors] = [2048, 512, 32]
const read = 0
const write = 1
const flush = 4
const requestsATurn = 60
/** A connection's threads wait so long for the next one: they are the same all the time. */
const reconnectMs = 2 ** 31 - 1

export class DiskActor implements Actor {
  readonly name: string
  readonly #stage: Stage
  readonly #disk: ServedDisk
  readonly #socket: string
  /** What each sector is filled with; null where a guest left before it was told. */
  readonly #filled: (number | null)[] = Array.from({ length: sectors }, () => 0)
  /** Sectors that a request is under way for. */
  readonly #busy = new Set<number>()
  #hasServed = false

  private constructor(name: string, stage: Stage, disk: ServedDisk, socket: string) {
    this.name = name
    this.#stage = stage
    this.#disk = disk
    this.#socket = socket
  }

  /** Serves it. @param overlay - what is written stays in memory */
  static async make(stage: Stage, overlay: boolean): Promise<DiskActor> {
    const name = overlay ? 'disk with an overlay' : 'disk'
    const [image, socket] = ['image', 'sock'].map((end) => join(stage.folder, `${overlay}.${end}`))
    if (image === undefined || socket === undefined) throw new Error('two files')
    writeFileSync(image, '')
    truncateSync(image, sectors * sectorBytes)
    const disk = await serveDisk(image, {
      socket,
      reconnectMs,
      queues: 2,
      workers: 1,
      ...(overlay ? { overlay } : {}),
    })
    // Guests come one after the other, and keep to the rules.
    const { ledger } = stage
    disk.device.on('disconnect', (reason) => {
      if (reason !== null) ledger.note('wrong', `${name}: disconnected: ${reason}`)
    })
    disk.device.on('refuse', () => ledger.note('wrong', `${name}: a guest was turned away`))
    disk.device.on('broken', (vring, error) => {
      ledger.note('wrong', `${name}: vring ${vring}: ${error.stack}`)
    })
    disk.device.on('problem', (error) => ledger.note('wrong', `${name}: ${error.stack}`))
    return new DiskActor(name, stage, disk, socket)
  }

  async turn(): Promise<void> {
    const { ledger, dice } = this.#stage
    const memory = 2 ** 21
    await ledger.step(`${this.name}: connection`, async () => {
      const frontend = await Frontend.connect(this.#socket, { queues: 2, memory })
      try {
        const leaves = dice(3) === 0
        const requests = Array.from({ length: requestsATurn }, () =>
          this.#request(frontend, leaves),
        )
        if (leaves) await pause(dice(20))
        else await Promise.all(requests)
        await frontend.close()
        await Promise.all(requests)
      } finally {
        await frontend.close()
      }
    })
    this.#hasServed = true
    await pause(20)
  }

  /** Its threads, and what Node and the system keep for them, are there from the first rest on. */
  async rest(): Promise<void> {
    if (!this.#hasServed) await this.turn()
  }

  async close(): Promise<void> {
    await this.#stage.ledger.step(`${this.name}: close`, () => this.#disk.close())
  }

  /** One request, which is judged; none where its sectors are in use. */
  async #request(frontend: Frontend, leaves: boolean): Promise<void> {
    const { ledger, dice } = this.#stage
    const type = oneOf(dice, [read, write, write, flush])
    const count = type === flush ? 0 : 1 + dice(mostSectors)
    const first = dice(sectors - count)
    const all = Array.from({ length: count }, (_, at) => first + at)
    if (all.some((sector) => this.#busy.has(sector))) return
    for (const sector of all) this.#busy.add(sector)
    const value = 1 + dice(255)
    const expected = all.map((sector) => this.#filled[sector] ?? null)
    if (type === write) for (const sector of all) this.#filled[sector] = null
    const end = await ledger.work(
      `${this.name}: ${['read', 'write', '', '', 'flush'][type]}`,
      () =>
        ask(frontend, type, first, type === write ? count : 0, value, type === read ? count : 0),
      {
        value: ({ status, data }) =>
          status === 0 &&
          expected.every((each, at) => type !== read || each === null || isFilled(data, at, each)),
        errors: leaves ? ['closed'] : [],
      },
    )
    if (type === write && 'value' in end) for (const sector of all) this.#filled[sector] = value
    for (const sector of all) this.#busy.delete(sector)
  }
}

interface Answer {
  readonly status: number
  readonly data: Uint8Array
}

async function ask(
  frontend: Frontend,
  type: number,
  sector: number,
  written: number,
  value: number,
  room: number,
): Promise<Answer> {
  const bytes = Buffer.alloc(16 + written * sectorBytes, value)
  bytes.fill(0, 0, 16)
  bytes.writeUInt32LE(type, 0)
  bytes.writeBigUInt64LE(BigInt(sector), 8)
  const queue = frontend.queues[sector % 2]
  if (queue === undefined) throw new Error('there are two queues')
  try {
    const { writable } = await queue.request([bytes], room === 0 ? [1] : [room * sectorBytes, 1])
    return { status: writable.at(-1)?.[0] ?? -1, data: writable[0] ?? new Uint8Array() }
  } catch (error) {
    if (/closed/.test((error as Error).message)) throw new Error('closed', { cause: error })
    throw error
  }
}

function isFilled(data: Uint8Array, place: number, value: number): boolean {
  const sector = data.subarray(place * sectorBytes, (place + 1) * sectorBytes)
  return sector.length === sectorBytes && sector.every((byte) => byte === value)
}
