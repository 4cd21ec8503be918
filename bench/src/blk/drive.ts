/**
 * What runs in a process of its own: a frontend without a guest, which gives requests to a backend as
 * quickly as it takes them, and prints what came of them.
 *
 * `node drive.js <socket> <queues> <bytes of the disk> <pid of the backend> <full|quick>`
 *
 * @module
 */
import { writeSync } from 'node:fs'
import { cases, fullPace, quickPace, type Case, type Figures, type Pace } from './cases.js'
import { cpuUsOf } from './cpu.js'
import { loadFrontend } from './library.js'

const { Frontend, PollSet, clear } = await loadFrontend()
type Frontend = Awaited<ReturnType<typeof Frontend.connect>>
type Queue = Frontend['queue']

const sectorBytes = 512
const headerBytes = 16
const pageBytes = 4096
const queueSize = 128
const memoryBytes = 64 * 2 ** 20
/** VERSION_1, EVENT_IDX and FLUSH: requests are chains in the queue's own table. */
const features = (1n << 32n) | (1n << 29n) | (1n << 9n)
const [readType, writeType] = [0, 1]
const [nextFlag, writeFlag] = [1, 2]
const ok = 0
/** A backend that does not answer for so long is stuck. */
const patienceMs = 10_000

/** The requests of one queue: so many places, each with a chain that stays, and a header of its own. */
class Load {
  readonly callFd: number
  readonly #queue: Queue
  readonly #headers: DataView[] = []
  readonly #statuses: Uint8Array[] = []
  readonly #case: Case
  readonly #blocks: number
  #cursor = 0

  constructor(queue: Queue, frontend: Frontend, chosen: Case, diskBytes: number) {
    this.#queue = queue
    this.callFd = queue.callFd
    this.#case = chosen
    this.#blocks = Math.floor(diskBytes / chosen.bytes)
    const memory = frontend.memory.forDrivers
    for (let place = 0; place < chosen.depth; place++) {
      const header = memory.allocate(headerBytes)
      // As a guest's pages are: O_DIRECT would need a copy else.
      const data = Math.ceil(memory.allocate(chosen.bytes + pageBytes) / pageBytes) * pageBytes
      const status = memory.allocate(1)
      const bytes = memory.at(header, headerBytes)
      this.#headers.push(new DataView(bytes.buffer, bytes.byteOffset, headerBytes))
      this.#statuses.push(memory.at(status, 1))
      const dataFlags = chosen.isWrite ? nextFlag : nextFlag | writeFlag
      const { driver } = queue
      const [first, second, third] = [3 * place, 3 * place + 1, 3 * place + 2]
      const describe = (index: number, address: number, length: number, flags: number): void =>
        driver.writeDescriptor(index, { address, length, flags, next: index + 1 })
      describe(first, header, headerBytes, nextFlag)
      describe(second, data, chosen.bytes, dataFlags)
      describe(third, status, 1, writeFlag)
    }
  }

  /** Puts a request into each place. */
  begin(): void {
    for (let place = 0; place < this.#case.depth; place++) this.#offer(place)
    this.#show()
  }

  /** Takes what is done, and puts the next into its place while there is to be more. @returns how many */
  turn(isGoingOn: boolean): number {
    const { driver } = this.#queue
    let count = 0
    for (let used = driver.takeUsed(); used !== null; used = driver.takeUsed()) {
      const place = used.head / 3
      if (this.#statuses[place]?.[0] !== ok) throw new Error('a request failed')
      count++
      if (isGoingOn) this.#offer(place)
    }
    if (count > 0 && isGoingOn) this.#show()
    return count
  }

  /** Before it sleeps. @returns whether something came meanwhile */
  listen(): boolean {
    return this.#queue.driver.enableCalls()
  }

  #offer(place: number): void {
    const { isRandom, isWrite, bytes } = this.#case
    const block = isRandom
      ? Math.floor(Math.random() * this.#blocks)
      : this.#cursor++ % this.#blocks
    const header = this.#headers[place] as DataView
    const sector = block * (bytes / sectorBytes)
    header.setUint32(0, isWrite ? writeType : readType, true)
    header.setUint32(8, sector, true)
    ;(this.#statuses[place] as Uint8Array)[0] = 0xff
    this.#queue.driver.offer(3 * place)
  }

  #show(): void {
    const { driver } = this.#queue
    driver.publish()
    if (driver.needsKick()) this.#queue.kick()
  }
}

/** Requests of one kind over all queues, for a while. */
function measure(loads: readonly Load[], pid: number, { warmUpMs, measuredMs }: Pace): Figures {
  const poll = new PollSet()
  poll.set(loads.map(({ callFd }) => callFd))
  for (const load of loads) load.begin()
  runFor(loads, poll, warmUpMs)
  const cpuBefore = cpuUsOf(pid)
  const begun = performance.now()
  const count = runFor(loads, poll, measuredMs)
  const seconds = (performance.now() - begun) / 1000
  const cpuUs = (cpuUsOf(pid) - cpuBefore) / count
  return { iops: count / seconds, cpuUs }
}

function runFor(loads: readonly Load[], poll: InstanceType<typeof PollSet>, ms: number): number {
  const end = performance.now() + ms
  let count = 0
  while (performance.now() < end) count += turnAll(loads, poll, true)
  return count
}

/** One turn; where nothing is done it sleeps until something is. */
function turnAll(
  loads: readonly Load[],
  poll: InstanceType<typeof PollSet>,
  isGoingOn: boolean,
): number {
  let count = 0
  for (const load of loads) count += load.turn(isGoingOn)
  if (count > 0) return count
  for (const load of loads) if (load.listen()) return 0
  if (poll.wait(patienceMs) === 0) throw new Error('the backend does not answer')
  for (const load of loads) clear(load.callFd)
  return 0
}

async function main(args: readonly string[]): Promise<void> {
  const [socket = '', queues, bytes, pid, pace] = args
  const sample: Record<string, Figures> = {}
  for (const chosen of cases) {
    const options = { queues: Number(queues), queueSize, features, memory: memoryBytes }
    const frontend = await Frontend.connect(socket, options)
    const loads = frontend.queues.map((queue) => new Load(queue, frontend, chosen, Number(bytes)))
    sample[chosen.name] = measure(loads, Number(pid), pace === 'quick' ? quickPace : fullPace)
    let left = chosen.depth * loads.length
    const poll = new PollSet()
    poll.set(loads.map(({ callFd }) => callFd))
    while (left > 0) left -= turnAll(loads, poll, false)
    await frontend.close()
  }
  writeSync(1, JSON.stringify(sample))
}

await main(process.argv.slice(2))
process.exit(0)
