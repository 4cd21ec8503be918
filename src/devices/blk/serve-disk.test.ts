import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Frontend } from 'userworker/testing'
import { now } from '../../os/clock.js'
import { Owner } from '../../worker/index.js'
import { checkForLeaks, descriptors, leaks } from '../../worker/leaks.fixture.js'
import { lockImage } from './image-lock.js'
import { rangeBytesOf, requestBytes } from './request.fixture.js'
import { serveDisk, type ServeDiskOptions, type ServedDisk } from './serve-disk.js'
import { folderForTests } from './thread.fixture.js'

checkForLeaks()

const { folder, image, name } = folderForTests()
const size = 2 ** 20
const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)

interface Guest {
  readonly disk: ServedDisk
  readonly frontend: Frontend
  /** @returns the status */
  readonly write: (sector: number, data: Uint8Array, queue?: number) => Promise<number>
  readonly read: (
    sector: number,
    length: number,
    queue?: number,
  ) => Promise<{ status: number; data: Uint8Array }>
  readonly ask: (type: number, rest?: Uint8Array, room?: number) => Promise<number>
}

/** A disk, with a guest that has started its queues. */
async function withGuest(
  source: string | SharedArrayBuffer,
  options: Omit<ServeDiskOptions, 'socket'>,
  run: (guest: Guest) => Promise<void>,
): Promise<void> {
  const socket = `${name()}.sock`
  const disk = await serveDisk(source, { socket, ...options })
  try {
    const { queues = 1 } = options
    const frontend = await Frontend.connect(socket, { queues, configBytes: 57 })
    try {
      const send = async (bytes: Uint8Array, room: number, index = 0) => {
        const queue = frontend.queues[index]
        assert.ok(queue !== undefined)
        const lengths = room === 0 ? [1] : [room, 1]
        const { writable } = await queue.request([bytes], lengths)
        return { status: writable.at(-1)?.[0] ?? -1, data: writable[0] ?? new Uint8Array() }
      }
      await run({
        disk,
        frontend,
        write: async (sector, data, queue) =>
          (await send(requestBytes(1, sector, data), 0, queue)).status,
        read: (sector, length, queue) => send(requestBytes(0, sector), length, queue),
        ask: async (type, rest, room = 0) => (await send(requestBytes(type, 0, rest), room)).status,
      })
    } finally {
      await frontend.close()
    }
  } finally {
    await disk.close()
  }
}

describe('a disk at a socket', () => {
  test('is read and written by a guest, and its file has what was written', async () => {
    const file = image(size)
    await withGuest(file, {}, async ({ write, read, ask, disk }) => {
      assert.equal(await write(8, filled(4096, 7)), 0)
      assert.deepEqual((await read(8, 4096)).data, filled(4096, 7))
      assert.equal(await ask(4), 0)
      assert.equal(await ask(13, rangeBytesOf({ sector: 9, sectors: 1 })), 0)
      const { reads, writes, flushes, zeroes, bytesRead, bytesWritten } = disk.stats()
      assert.deepEqual(
        { reads, writes, flushes, zeroes, bytesRead, bytesWritten },
        { reads: 1, writes: 1, flushes: 1, zeroes: 1, bytesRead: 4096, bytesWritten: 4096 },
      )
    })
    const bytes = readFileSync(file)
    assert.deepEqual(
      [8, 9, 10].map((sector) => bytes[sector * 512]),
      [7, 0, 7],
    )
  })

  test('has several queues, past the page cache as well', async () => {
    for (const direct of [false, true]) {
      if (direct && !canDirect()) continue
      await withGuest(image(size), { queues: 3, workers: 2, direct }, async ({ write, read }) => {
        const sectors = Array.from({ length: 60 }, (_, index) => index)
        const statuses = sectors.map((at) => write(at, filled(512, at + 1), at % 3))
        assert.ok((await Promise.all(statuses)).every((status) => status === 0))
        for (const at of sectors) assert.equal((await read(at, 512, (at + 1) % 3)).data[0], at + 1)
      })
    }
  })

  test('ends what it has in hand where an owner is killed, and leaves no descriptor', async (t) => {
    if (!canDirect()) return t.skip('needs O_DIRECT')
    const open = descriptors()
    const owner = new Owner({ name: 'tenant' })
    const options = { direct: true, iops: 100, workerOptions: { owner } }
    await withGuest(image(size), options, async ({ disk, read }) => {
      const gone = once(disk.device, 'disconnect')
      const reads = Array.from({ length: 20 }, async (_, at) => (await read(at, 512)).status)
      assert.equal(await reads[0], 0)
      owner.kill()
      await gone
      assert.deepEqual(new Set(await Promise.all(reads)), new Set([0]))
    })
    assert.deepEqual(
      leaks(open).filter((line) => line.includes('io_uring') || line.includes('timerfd')),
      [],
    )
  })

  test('lives in memory that the program sees too', async () => {
    const bytes = new SharedArrayBuffer(size)
    await withGuest(bytes, {}, async ({ write, disk }) => {
      assert.equal(await write(1, filled(512, 9)), 0)
      assert.equal(new Uint8Array(bytes)[512], 9)
      assert.throws(() => disk.resize(512), { code: 'ENOTSUP' })
    })
  })

  test('grows and shrinks while a guest uses it, who is told', async () => {
    const file = image(size)
    await withGuest(file, {}, async ({ disk, frontend, write, read }) => {
      assert.equal(await write(size / 512, filled(512, 1)), 1)
      const told = frontend.waitForConfigChange()
      disk.resize(2 * size)
      await told
      const config = await frontend.getConfig(0, 57)
      assert.equal(
        new DataView(config?.buffer ?? new ArrayBuffer(8), config?.byteOffset).getUint32(0, true),
        4096,
      )
      assert.equal(await write(size / 512, filled(512, 1)), 0)
      assert.equal(statSync(file).size, 2 * size)
      disk.resize(512)
      assert.equal((await read(1, 512)).status, 1)
      assert.equal(statSync(file).size, 512)
      assert.throws(() => disk.resize(513), { code: 'EINVAL' })
    })
  })

  test('keeps what is written in an overlay, and the image as it is', async () => {
    const [file, overlay] = [image(size), name()]
    await withGuest(file, { overlay }, async ({ write }) => {
      assert.equal(await write(1, filled(512, 5)), 0)
    })
    await withGuest(file, { overlay }, async ({ read }) => {
      assert.equal((await read(1, 512)).data[0], 5)
    })
    await withGuest(file, { overlay: true }, async ({ read, write }) => {
      assert.equal(await write(2, filled(512, 5)), 0)
      assert.deepEqual(
        (await read(0, 1536)).data,
        new Uint8Array([...filled(1024, 0), ...filled(512, 5)]),
      )
    })
    assert.ok(readFileSync(file).every((byte) => byte === 0))
  })

  test('has faults, which are counted, and loses at a crash what was not flushed', async () => {
    const file = image(size)
    const options = { faults: 'error:read:nth=2;volatile', seed: 1 }
    await withGuest(file, options, async ({ disk, frontend, write, read, ask }) => {
      await write(0, filled(512, 1))
      assert.equal(await ask(4), 0)
      await write(0, filled(512, 2))
      assert.deepEqual([(await read(0, 512)).status, (await read(0, 512)).status], [0, 1])
      assert.deepEqual(disk.stats().faults, [1])
      assert.equal(disk.seed, 1)
      await frontend.close()
      await disk.crash()
      assert.equal(readFileSync(file)[0], 1)
    })
  })

  test('touches nothing any more once it has been closed', async () => {
    const file = image(size)
    const disk = await serveDisk(file, { socket: `${name()}.sock`, faults: 'volatile' })
    await Promise.all([disk.close(), disk.close()])
    assert.throws(() => disk.resize(2 * size), { code: 'ENOSYS' })
    await assert.rejects(disk.crash(), { code: 'ENOSYS' })
    assert.equal(statSync(file).size, size)
  })

  test('does no more in a second than it may', async () => {
    await withGuest(image(size), { iops: 100, queues: 2, workers: 2 }, async ({ read }) => {
      const begun = now()
      const reads = Array.from({ length: 40 }, (_, at) => read(at, 512, at % 2))
      await Promise.all(reads)
      // The first two or three go at once.
      const tookMs = now() - begun
      assert.ok(tookMs > 300, `40 requests took ${tookMs} ms at 100 in a second`)
    })
  })

  test('writes a line about each request to the file of its trace', async () => {
    const trace = name()
    await withGuest(image(size), { trace, name: 'traced' }, async ({ write, ask }) => {
      await write(8, filled(1024, 1))
      await ask(99)
    })
    const lines = readFileSync(trace, 'utf8').trim().split('\n')
    const all = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const [first, second, ...none] = all.filter(({ kind }) => kind === 'request')
    assert.deepEqual(none, [])
    const { ms, us, head, thread, ...rest } = first ?? {}
    assert.ok([ms, us, head].every((each) => typeof each === 'number'))
    assert.equal(typeof thread, 'string')
    assert.deepEqual(rest, {
      kind: 'request',
      vring: 0,
      type: 'VIRTIO_BLK_T_OUT',
      sector: 8,
      bytes: 1024,
      status: 'VIRTIO_BLK_S_OK',
    })
    assert.deepEqual([second?.['type'], second?.['status']], [99, 'VIRTIO_BLK_S_UNSUPP'])
  })

  test('goes on when its trace cannot be written any more, and says so', async () => {
    // What is written to /dev/full meets a disk that is full.
    const warned = once(process, 'warning')
    await withGuest(image(size), { trace: '/dev/full' }, async ({ write, read }) => {
      assert.equal(await write(0, filled(512, 7)), 0)
      assert.deepEqual((await read(0, 512)).data, filled(512, 7))
    })
    const [warning] = (await warned) as [NodeJS.ErrnoException]
    assert.equal(warning.code, 'USERWORKER_TRACE')
    assert.match(warning.message, /^The trace '\/dev\/full' ends here: .* \(ENOSPC\)$/)
  })

  test('writes a line about each message of its own frontend there, and of no other', async () => {
    const trace = name()
    await withGuest(image(size), { trace }, async () => {
      await withGuest(image(size), {}, async ({ write }) => {
        await write(0, filled(512, 1))
      })
    })
    const lines = readFileSync(trace, 'utf8').trim().split('\n')
    const all = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.ok(all.every(({ kind }) => kind === 'message'))
    const enabled = all.filter(({ request }) => request === 'SET_VRING_ENABLE')
    assert.deepEqual(
      enabled.map(({ direction, payload }) => [direction, payload]),
      [['in', { index: 0, num: 1 }]],
    )
    const features = all.find(({ request, isReply }) => request === 'GET_FEATURES' && isReply)
    assert.match(String(features?.['payload']), /^0x[0-9a-f]+$/)
  })
})

describe('a disk is refused at once, in one sentence', () => {
  const refused = async (
    file: string,
    message: RegExp,
    options: Partial<ServeDiskOptions> = {},
  ) => {
    const serving = serveDisk(file, { socket: `${name()}.sock`, ...options })
    await assert.rejects(serving, { code: 'ERR_DISK_IMAGE', message })
  }

  test('when its image is missing, a directory, empty or of an odd size', async () => {
    await refused(join(folder, 'none'), /^The image '.*none' does not exist$/)
    const directory = name()
    mkdirSync(directory)
    await refused(directory, /is a directory$/)
    await refused(directory, /is a directory$/, { readOnly: true })
    await refused(image(0), /is empty$/)
    const odd = image(1000)
    await refused(odd, /has 1000 bytes, 488 more than a multiple of 512$/)
    await refused('/dev/null', /is neither a file nor a block device$/)
  })

  test('when another program has locked its image, unless both only read', async () => {
    const file = image(size)
    const socket = `${name()}.sock`
    await using first = await serveDisk(file, { socket, readOnly: true })
    await refused(file, /is in use: another program has locked it$/)
    const second = await serveDisk(file, { socket: `${name()}.sock`, readOnly: true })
    await second.close()
    await first.close()
    const fd = openSync(file, 'r+')
    assert.ok(lockImage(fd, false))
    await refused(file, /is in use/, { readOnly: true })
    closeSync(fd)
  })

  test('when it may not be written', { skip: process.getuid?.() === 0 && 'root may' }, async () => {
    const file = image(size)
    chmodSync(file, 0o400)
    await refused(file, /may not be written by you: serve it read-only$/)
  })

  test('when its options are wrong', async () => {
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ queues: 0 }, /queues must be a whole number from 1 to 256/],
      [{ blockSize: 1000 }, /blockSize must be a power of two/],
      [{ serial: 'x'.repeat(21) }, /serial must have at most 20 bytes/],
      [{ faults: 'explode:all' }, /The fault 'explode:all' has the action/],
      [{ bps: 1 }, /bps must be a number from 512/],
      [{ speed: 1 }, /there is no option 'speed'/],
    ]
    for (const [options, message] of wrong) {
      const serving = serveDisk(image(size), { socket: `${name()}.sock`, ...options })
      await assert.rejects(serving, { name: 'TypeError', code: 'EINVAL', message })
    }
    const memories = [new ArrayBuffer(512), new SharedArrayBuffer(0), new SharedArrayBuffer(700)]
    for (const memory of memories) {
      const serving = serveDisk(memory as never, { socket: `${name()}.sock` })
      await assert.rejects(serving, { code: 'EINVAL', message: /must be a path, or a Shared/ })
    }
  })

  test('and what is there already stays there', async () => {
    const file = image(size)
    truncateSync(file, size)
    await refused(file, /The overlay '.*' cannot be opened \(ENOENT\)/, {
      overlay: join(folder, 'no', 'such', 'folder'),
    })
    const disk = await serveDisk(file, { socket: `${name()}.sock` })
    await disk.close()
  })
})

function canDirect(): boolean {
  try {
    closeSync(openSync(image(size), constants.O_DIRECT))
    return true
  } catch {
    return false
  }
}
