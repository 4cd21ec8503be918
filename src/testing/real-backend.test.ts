/** The frontend against a backend that others have made: the disk of qemu-storage-daemon. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { clear, PollSet } from '../os/events.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { Frontend, protocolFeatures, type FrontendOptions } from './index.js'
import { socketPath } from './recorder.fixture.js'

checkForLeaks()

const program = 'qemu-storage-daemon'
const isThere = spawnSync(program, ['--version']).status === 0
const skip = isThere ? false : `${program} is not there: apt-get install qemu-system-common`

const sectorBytes = 512
const diskBytes = 8 * 2 ** 20
const READ = 0
const WRITE = 1
const GET_ID = 8

/** The head of a request of a disk (VIRTIO 1.x, 5.2.6): type, then the sector. */
function head(type: number, sector: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(16))
  bytes.setUint32(0, type, true)
  bytes.setBigUint64(8, BigInt(sector), true)
  return new Uint8Array(bytes.buffer)
}

/** A daemon that serves a new disk, until the test ends; and a frontend that drives it. */
async function driven(
  t: TestContext,
  options: FrontendOptions = {},
): Promise<{ frontend: Frontend; file: string }> {
  const path = socketPath(t)
  const file = join(dirname(path), 'disk')
  writeFileSync(file, '')
  truncateSync(file, diskBytes)
  const served = `type=vhost-user-blk,id=e,addr.type=unix,addr.path=${path},node-name=f,writable=on`
  const daemon = spawn(
    program,
    [
      `--blockdev=driver=file,node-name=f,filename=${file}`,
      `--export=${served},num-queues=${options.queues ?? 1}`,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
  const gone = once(daemon, 'exit')
  const frontend = await Frontend.connect(path, { waitMs: 60_000, configBytes: 57, ...options })
  t.after(async () => {
    await frontend.close()
    daemon.kill()
    await gone
  })
  return { frontend, file }
}

/** Writes bytes, reads them back, and looks into the file. */
async function writesAndReads(frontend: Frontend, file: string): Promise<void> {
  const bytes = randomBytes(8 * sectorBytes)
  for (const [index, queue] of frontend.queues.entries()) {
    const sector = 16 * (index + 1)
    const written = await queue.request([head(WRITE, sector), bytes], [1])
    assert.deepEqual(written.writable, [new Uint8Array([0])])
    const read = await queue.request([head(READ, sector)], [bytes.length, 1])
    assert.equal(read.written, bytes.length + 1)
    assert.equal(Buffer.compare(read.writable[0] as Uint8Array, bytes), 0)
    const start = sector * sectorBytes
    const inFile = readFileSync(file).subarray(start, start + bytes.length)
    assert.equal(Buffer.compare(inFile, bytes), 0)
  }
}

describe('the disk of qemu-storage-daemon', { skip }, () => {
  test('is written and read, in both its queues', async (t) => {
    const { frontend, file } = await driven(t, { queues: 2 })
    await writesAndReads(frontend, file)
    const id = await frontend.queue.request([head(GET_ID, 0)], [20, 1])
    assert.equal(id.written, 21)
  })

  test('is written and read over one table of memory, with the fewest features', async (t) => {
    const { frontend, file } = await driven(t, {
      features: 0x1_0000_0000n,
      protocolFeatures: protocolFeatures.CONFIG,
    })
    await writesAndReads(frontend, file)
  })

  test('serves more requests than the queue has room for', async (t) => {
    const { frontend } = await driven(t, { queueSize: 8 })
    const { queue } = frontend
    const requests = Array.from({ length: 300 }, (_, index) =>
      queue.request([head(READ, index)], [sectorBytes, 1]),
    )
    for (const { writable } of await Promise.all(requests)) assert.equal(writable[1]?.[0], 0)
  })

  test('serves a firmware, then the system, and starts anew each time', async (t) => {
    const { frontend, file } = await driven(t)
    await frontend.stopLikeQemu()
    await frontend.bootLikeQemu(() => writesAndReads(frontend, file))
    await writesAndReads(frontend, file)
    const [base] = await frontend.stopLikeQemu()
    assert.equal(base, 2, 'two requests since the last start')
  })

  test('tells its size, and refuses to read beyond it', async (t) => {
    const { frontend } = await driven(t)
    const config = (await frontend.getConfig(0, 8)) ?? assert.fail('it has no configuration')
    const sectors = new DataView(config.buffer).getBigUint64(0, true)
    assert.equal(sectors, BigInt(diskBytes / sectorBytes))
    const beyond = await frontend.queue.request([head(READ, Number(sectors))], [sectorBytes, 1])
    assert.equal(beyond.writable[1]?.[0], 1)
  })

  test('is driven without the event loop, over memory beyond 4 GiB', async (t) => {
    const guest = 0x1_0000_0000
    const memory = [
      { guest: 0, size: 2 ** 20 },
      { guest, size: 2 ** 31, offset: 2 ** 20 },
    ]
    const { frontend, file } = await driven(t, { memory })
    writeFileSync(file, Buffer.alloc(diskBytes, 'beyond'))
    const { queue } = frontend
    const far = guest + 2 ** 31 - 8192
    frontend.memory.at(far, 16).set(head(READ, 0))
    queue.driver.addBuffers([
      { address: far, length: 16, isWritable: false },
      { address: far + 4096, length: sectorBytes, isWritable: true },
      { address: far + 4096 - 1, length: 1, isWritable: true },
    ])
    queue.driver.publish()
    assert.equal(queue.driver.needsKick(), true)
    queue.kick()
    const poll = new PollSet()
    poll.set([queue.callFd])
    let used = queue.driver.takeUsed()
    while (used === null) {
      if (poll.wait(60_000) > 0) clear(queue.callFd)
      used = queue.driver.takeUsed()
    }
    assert.equal(used.written, sectorBytes + 1)
    const bytes = frontend.memory.at(far + 4096, sectorBytes)
    assert.equal(Buffer.compare(bytes, Buffer.alloc(sectorBytes, 'beyond')), 0)
  })
})
