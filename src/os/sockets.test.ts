import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import {
  existsSync,
  fstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { checkForLeaks, descriptors } from '../worker/leaks.fixture.js'
import { close, event } from './events.js'
import { memoryFile } from './mapping.js'
import { accept, connect, Descriptors, listen, pair, receive, send } from './sockets.js'

checkForLeaks()

/** A folder that ends with the test. */
function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'uw-sockets-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function code(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
  return assert.fail('it did not throw')
}

const room = new Uint8Array(64)

describe('a socket that listens', () => {
  test("has a file that is the user's alone, whatever the umask", (t) => {
    const path = join(folder(t), 's')
    const before = process.umask(0)
    t.after(() => process.umask(before))
    const listener = listen(path)
    assert.equal(statSync(path).mode & 0o7777, 0o600)
    listener.close()
    assert.equal(existsSync(path), false)
  })

  test('is connected to, and gives a connection for each', (t) => {
    const listener = listen(join(folder(t), 's'))
    assert.equal(accept(listener.fd), null)
    const ends = [connect(listener.path), connect(listener.path)]
    const taken = [accept(listener.fd), accept(listener.fd)].map((fd) => fd ?? -1)
    assert.equal(accept(listener.fd), null)
    send(ends[1] as number, Buffer.from('second'))
    assert.equal(receive(taken[0] as number, room), null)
    assert.equal(receive(taken[1] as number, room)?.length, 6)
    for (const fd of [...ends, ...taken]) close(fd)
    listener.close()
  })

  test('takes the place of a file that a socket has left behind, and of no other', (t) => {
    const path = join(folder(t), 's')
    const first = listen(path)
    assert.equal(
      code(() => listen(path)),
      'EADDRINUSE',
    )
    assert.equal(existsSync(path), true, 'a socket in use keeps its file')
    close(first.fd)
    assert.equal(existsSync(path), true, 'it has left its file behind')
    const second = listen(path)
    assert.equal(statSync(path).mode & 0o7777, 0o600)
    second.close()
    writeFileSync(path, 'a file')
    assert.equal(
      code(() => listen(path)),
      'EEXIST',
    )
    assert.equal(readFileSync(path, 'utf8'), 'a file')
  })

  test('removes its file at the end only where it is its own still', (t) => {
    const path = join(folder(t), 's')
    const listener = listen(path)
    renameSync(path, `${path}.old`)
    writeFileSync(path, 'of somebody else')
    listener.close()
    assert.equal(readFileSync(path, 'utf8'), 'of somebody else')
  })

  test('does not follow a link at its place', (t) => {
    const path = join(folder(t), 's')
    symlinkSync(`${path}.target`, path)
    assert.equal(
      code(() => listen(path)),
      'EEXIST',
    )
    assert.equal(existsSync(`${path}.target`), false)
  })

  test('has a path of at most 107 bytes, and says so', (t) => {
    const base = folder(t)
    const fitting = join(base, 'x'.repeat(107 - base.length - 1))
    listen(fitting).close()
    assert.throws(() => listen(`${fitting}x`), /at most 107 bytes, this has 108/)
    assert.throws(() => connect(`${fitting}x`), /at most 107 bytes, this has 108/)
    assert.throws(() => connect(''), { code: 'EINVAL' })
    assert.throws(() => connect('a\0b'), { code: 'EINVAL' })
  })

  test('that is not there cannot be connected to, and nothing stays open', (t) => {
    const path = join(folder(t), 's')
    const open = descriptors()
    assert.equal(
      code(() => connect(path)),
      'ENOENT',
    )
    close(listen(path).fd)
    assert.equal(
      code(() => connect(path)),
      'ECONNREFUSED',
    )
    assert.equal(
      code(() => listen(join(path, 'not-a-folder'))),
      'ENOTDIR',
    )
    assert.deepEqual(descriptors(), open)
  })
})

describe('a connection', () => {
  test('carries bytes, and tells of nothing yet from the end', () => {
    const [a, b] = pair()
    assert.equal(receive(b, room), null)
    assert.equal(send(a, Buffer.from('hello')), 5)
    assert.deepEqual(receive(b, room.subarray(0, 2)), { length: 2, fds: [] })
    assert.equal(Buffer.from(room.subarray(0, 2)).toString(), 'he')
    assert.equal(receive(b, room)?.length, 3)
    close(a)
    assert.deepEqual(receive(b, room), { length: 0, fds: [] })
    assert.equal(
      code(() => send(b, room)),
      'EPIPE',
    )
    close(b)
  })

  test('carries 8 descriptors with the first byte, closed by exec, each the same file', () => {
    const [a, b] = pair()
    const files = Array.from({ length: 8 }, (_, index) => memoryFile(`sent-${index}`, 4096))
    assert.equal(send(a, Buffer.from('12'), files), 2)
    const got = receive(b, room.subarray(0, 1))
    assert.equal(got?.length, 1)
    assert.deepEqual(
      got.fds.map((fd) => fstatSync(fd).ino),
      files.map((fd) => fstatSync(fd).ino),
    )
    for (const fd of got.fds) {
      const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
      assert.ok((Number.parseInt(flags ?? '0', 8) & 0o2000000) !== 0, 'closed by exec')
    }
    assert.deepEqual(receive(b, room), { length: 1, fds: [] })
    for (const fd of [a, b, ...files, ...got.fds]) close(fd)
  })

  test('takes no more than 8 descriptors at once', () => {
    const [a, b] = pair()
    const one = event()
    const nine = Array.from({ length: 9 }, () => one)
    assert.throws(() => send(a, room, nine), { code: 'EINVAL' })
    for (const fd of [a, b, one]) close(fd)
  })

  test('keeps nothing of descriptors for which this process has no room', async () => {
    // The limit is the whole process's, so it is set in one of its own.
    const { runProgram } = await import('../worker/program.fixture.js')
    const at = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)
    const program = `
      import { readdirSync } from 'node:fs'
      import { pair, receive, send } from ${at('sockets.js')}
      import { event } from ${at('events.js')}
      const [a, b] = pair()
      const one = event()
      send(a, new Uint8Array(1), Array(8).fill(one))
      const filler = []
      try { for (;;) filler.push(event()) } catch (error) { console.log(error.code) }
      const { closeSync } = await import('node:fs')
      closeSync(filler.pop()); closeSync(filler.pop())
      try { receive(b, new Uint8Array(1)) } catch (error) { console.log(error.code) }
      try { filler.push(event(), event()); event() } catch (error) { console.log(error.code) }`
    const { out, err } = await runProgram(program, {}, ['prlimit', '--nofile=200:200'])
    assert.equal(out, 'EMFILE\nEMSGSIZE\nEMFILE\n', err)
  })

  test('takes part of what is sent while nobody reads, and loses nothing', () => {
    const [a, b] = pair()
    const sent = randomBytes(3 * 2 ** 20)
    const hash = createHash('sha256')
    const part = new Uint8Array(100_000)
    let offset = 0
    let wasFull = false
    for (let got = 0; got < sent.length;) {
      const count = offset < sent.length ? send(a, sent.subarray(offset)) : 0
      offset += count
      if (count > 0) continue
      wasFull ||= offset < sent.length
      for (let some = receive(b, part); some !== null; some = receive(b, part)) {
        hash.update(part.subarray(0, some.length))
        got += some.length
      }
    }
    assert.ok(wasFull, 'the socket was full at some time')
    assert.equal(hash.digest('hex'), createHash('sha256').update(sent).digest('hex'))
    close(a)
    close(b)
  })
})

describe('descriptors that have arrived', () => {
  test('are closed, without those that were taken', () => {
    const fds = [event(), event()]
    const arrived = new Descriptors(fds)
    assert.equal(arrived.count, 2)
    assert.equal(arrived.take(1), fds[1])
    assert.equal(arrived.take(1), null)
    assert.equal(arrived.take(2), null)
    arrived.close()
    arrived.close()
    assert.throws(() => fstatSync(fds[0] as number), { code: 'EBADF' })
    close(fds[1] as number)
  })
})
