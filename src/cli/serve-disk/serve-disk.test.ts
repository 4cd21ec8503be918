import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { mainFile, userworker } from '../command-line.fixture.js'

checkForLeaks()

const linuxOnly = { skip: process.platform === 'linux' ? false : 'vhost-user needs Linux' }

describe('userworker serve-disk', linuxOnly, () => {
  test('prints the options of QEMU, and ends in order at SIGINT and SIGTERM', async (t) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const { folder, socket, image } = places(t)
      const served = await serve(t, [image, '--socket', socket, '--queues', '2'])
      assert.equal(served.text(), introductionOf(image, socket))
      assert.equal(statSync(socket).mode & 0o777, 0o600)
      assert.deepEqual(await served.end(signal), [0, null])
      assert.equal(statSync(socket, { throwIfNoEntry: false }), undefined)
      rmSync(folder, { recursive: true })
    }
  })

  test('shows the seed of its faults', async (t) => {
    const { image, socket } = places(t)
    const rule = ['--faults', 'error:read:p=0.5']
    const served = await serve(t, [image, '--socket', socket, ...rule, '--seed', '42'])
    await served.says('The seed of the faults: 42\n')
    await served.end('SIGINT')
  })

  test('sees the file grow', async (t) => {
    const { image, socket } = places(t)
    const served = await serve(t, [image, '--socket', socket])
    truncateSync(image, 3 * 2 ** 20)
    await served.says('The disk has grown to 3 MiB.\n')
    assert.deepEqual(await served.end('SIGINT'), [0, null])
  })

  test('says who comes and goes, and turns a second frontend away', async (t) => {
    const { image, socket } = places(t)
    const served = await serve(t, [image, '--socket', socket])
    const first = createConnection(socket)
    await served.says('A frontend is connected.\n')
    const second = createConnection(socket)
    const closed = once(second.resume(), 'close')
    await served.says('Another frontend came, and was turned away: there is one already.\n')
    await closed
    first.destroy()
    await served.says('The frontend has gone.\n')
    assert.deepEqual(await served.end('SIGINT'), [0, null])
  })

  test('makes an image that is missing, and leaves one that is there', async (t) => {
    const { folder, image, socket } = places(t)
    const made = join(folder, 'made.img')
    const served = await serve(t, [made, '--socket', socket, '--create', '10G'])
    assert.match(served.text(), /made\.img, 10 GiB\./)
    assert.equal(statSync(made).size, 10 * 2 ** 30)
    await served.end('SIGINT')
    const again = await serve(t, [image, '--socket', socket, '--create', '10G'])
    assert.equal(statSync(image).size, 2 ** 20)
    await again.end('SIGINT')
  })

  test('takes the place of one that was killed, whose socket was left behind', async (t) => {
    const { image, socket } = places(t)
    const killed = await serve(t, [image, '--socket', socket])
    await killed.end('SIGKILL')
    assert.ok(statSync(socket).isSocket())
    const served = await serve(t, [image, '--socket', socket])
    assert.deepEqual(await served.end('SIGINT'), [0, null])
  })

  test('says in one line what is wrong with the image', (t) => {
    const { folder, image, socket } = places(t)
    const refused = (file: string, why: string): void =>
      assertRefused([file, '--socket', socket], `The image '${file}' ${why}`)
    refused(join(folder, 'none.img'), 'does not exist')
    refused(folder, 'is a directory')
    truncateSync(image, 1000)
    refused(image, 'has 1000 bytes, 488 more than a multiple of 512')
    truncateSync(image, 0)
    refused(image, 'is empty')
  })

  test('says in one line that the image is in use, or may not be opened', async (t) => {
    const { folder, image, socket } = places(t)
    const served = await serve(t, [image, '--socket', socket])
    const other = ['--socket', join(folder, 'other.sock')]
    const inUse = 'is in use: another program has locked it'
    assertRefused([image, ...other], `The image '${image}' ${inUse}`)
    await served.end('SIGINT')
    if (process.geteuid?.() === 0) return t.skip('user 0 may open everything')
    chmodSync(image, 0o400)
    const why = 'may not be written by you: serve it read-only'
    assertRefused([image, ...other], `The image '${image}' ${why}`)
  })

  test('says in one line what is wrong with the socket', async (t) => {
    const { folder, image, socket } = places(t)
    const second = join(folder, 'second.img')
    writeFileSync(second, new Uint8Array(512))
    const served = await serve(t, [image, '--socket', socket])
    const refused = (path: string, why: string): void =>
      assertRefused([second, '--socket', path], `The socket '${path}' ${why}`)
    refused(socket, 'is in use: another program listens there')
    await served.end('SIGINT')
    refused(join(folder, 'none', 'disk.sock'), 'cannot be made: its folder does not exist')
    refused(image, 'cannot be made: a file that is no socket is there')
    const long = join(folder, 'x'.repeat(120))
    const { code, stderr } = userworker(['serve-disk', image, '--socket', long])
    assert.equal(code, 2)
    assert.match(stderr, /^userworker: The path of a socket has at most 107 bytes.*\n$/)
  })

  test('says in one line which packages a guest needs', (t) => {
    const { folder, image, socket } = places(t)
    const empty = join(folder, 'bin')
    mkdirSync(empty)
    const args = ['serve-disk', image, '--socket', socket, '--boot']
    const { code, stdout, stderr } = userworker(args, { env: { PATH: empty } })
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' })
    const install = 'apt-get install --no-install-recommends qemu-system-x86 busybox-static'
    assert.ok(stderr.startsWith(`userworker: --boot needs packages that are not here: ${install}`))
    assert.equal(stderr.indexOf('\n'), stderr.length - 1)
  })

  const wrong: Readonly<Record<string, readonly string[]>> = {
    'a number of queues': ['--queues', '0'],
    'a rate in bytes': ['--bps', '10X'],
    'a rate in requests': ['--iops', '1.5'],
    'a size': ['--create', '-1'],
    'a seed': ['--seed', '4294967296'],
    'rules of faults': ['--faults', 'sometimes'],
  }
  for (const [what, options] of Object.entries(wrong)) {
    test(`refuses ${what} that is none`, (t) => {
      const { image, socket } = places(t)
      const { code, stderr } = userworker(['serve-disk', image, '--socket', socket, ...options])
      assert.equal(code, 2)
      assert.match(stderr, /^userworker: [^\n]+\n$/)
    })
  }

  test('asks for a socket', () => {
    const expected = "userworker: required option '--socket <PATH>' not specified\n"
    assert.deepEqual(userworker(['serve-disk', 'disk.img']), {
      code: 2,
      stdout: '',
      stderr: expected,
    })
  })
})

function assertRefused(args: readonly string[], why: string): void {
  const expected = { code: 2, stdout: '', stderr: `userworker: ${why}\n` }
  assert.deepEqual(userworker(['serve-disk', ...args]), expected)
}

/** A folder with an image of 1 MiB, and the path of a socket. */
function places(t: TestContext): { folder: string; image: string; socket: string } {
  const folder = mkdtempSync(join(tmpdir(), 'userworker-disk-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const image = join(folder, 'disk.img')
  writeFileSync(image, new Uint8Array(2 ** 20))
  return { folder, image, socket: join(folder, 'disk.sock') }
}

function introductionOf(image: string, socket: string): string {
  return `Serving ${image}, 1 MiB. Options for QEMU, whose -m may be another:

  -m 1024M \\
  -object memory-backend-memfd,id=memory,size=1024M,share=on \\
  -machine memory-backend=memory \\
  -chardev socket,id=disk0,path=${socket},reconnect=1 \\
  -device vhost-user-blk-pci,chardev=disk0,num-queues=2

`
}

/** A command that serves. */
interface Serving {
  text(): string
  /** Waits until it has said this. */
  says(text: string): Promise<void>
  /** Resolves with exit code and signal. */
  end(signal: NodeJS.Signals): Promise<unknown[]>
}

/** Starts the command. Resolves when it serves. */
async function serve(t: TestContext, args: readonly string[]): Promise<Serving> {
  const child: ChildProcess = spawn(process.execPath, [mainFile, 'serve-disk', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { stdout } = child
  if (stdout === null) throw new Error('there is no output')
  const ended = once(child, 'exit')
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const says = async (text: string): Promise<void> => {
    while (!said.includes(text)) {
      const [data] = (await Promise.race([once(stdout, 'data'), ended.then(() => [null])])) as [
        unknown,
      ]
      if (data === null) throw new Error(`it ended, and said: ${said}`)
    }
  }
  await says('\n\n  -m')
  await says('num-queues=')
  return {
    text: () => said,
    says,
    end: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}
