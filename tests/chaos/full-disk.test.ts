/**
 * A disk whose image cannot grow any more: the file system is full, or the process may not write that far.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { Child } from './child.js'

/** A file system with room for so many MiB; a text where it cannot be. */
function smallFileSystem(t: TestContext, mib: number): { folder: string } | string {
  const folder = mkdtempSync(join(tmpdir(), 'userworker-'))
  const options = ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder]
  const { status, stderr } = spawnSync('mount', options, { encoding: 'utf8' })
  t.after(() => {
    if (status === 0) spawnSync('umount', ['--lazy', folder])
    rmdirSync(folder)
  })
  return status === 0 ? { folder } : `no file system can be mounted here: ${stderr?.trim()}`
}

const [mib, perWrite] = [4, 2 ** 16]
/** As much as the file system has without the ballast. */
const writes = (mib * 2 ** 20) / 2 / perWrite

interface Options {
  readonly direct?: boolean
  readonly overlay?: string
}

/** Writes until there is no more room, makes room, and goes on. */
async function fills(t: TestContext, options: (folder: string) => Options): Promise<void> {
  const small = smallFileSystem(t, mib)
  if (typeof small === 'string') return t.skip(small)
  const [image, ballast] = ['image', 'ballast'].map((name) => join(small.folder, name))
  assert.ok(image !== undefined && ballast !== undefined)
  writeFileSync(image, '')
  truncateSync(image, 2 * mib * 2 ** 20)
  writeFileSync(ballast, Buffer.alloc((mib * 2 ** 20) / 2, 1))
  const args = [image, JSON.stringify(options(small.folder)), String(perWrite)]
  const child = new Child(t, './full-disk.fixture.js', { args })
  const ready = await child.says<true | { code: string; message: string }>('ready')
  if (ready !== true) return skipFor(t, ready)
  child.tell(`write 0 ${writes + 8}`)
  const first = await child.says<number[]>('statuses')
  const bad = first.filter((status) => status !== 0)
  assert.ok(bad.length >= 8 && bad.length <= 16, `${bad.length} writes failed`)
  assert.ok(
    bad.every((status) => status === 1),
    'VIRTIO_BLK_S_IOERR',
  )
  child.tell('verify')
  assert.equal(await child.says('verified'), 'what was written is there, before')
  rmSync(ballast)
  child.tell(`write ${writes + 8} ${writes - 16}`)
  const then = await child.says<number[]>('statuses')
  assert.ok(
    then.every((status) => status === 0),
    'there is room again',
  )
  child.tell('verify')
  assert.equal(await child.says('verified'), 'what was written is there, before')
  child.tell('end')
  assert.deepEqual(await child.ended, [0, null], child.other)
  t.diagnostic(`${first.length} writes, of which ${bad.length} failed, and ${then.length} more`)
}

function skipFor(t: TestContext, { code, message }: { code: string; message: string }): void {
  assert.ok(code === 'ENOTSUP' || /EINVAL/.test(message), message)
  t.skip(message)
}

describe('a disk whose file system is full', () => {
  test('answers writes with an error, harms nothing, and goes on when there is room', async (t) => {
    await fills(t, () => ({}))
  })

  test('past the page cache, by io_uring, the same', async (t) => {
    await fills(t, () => ({ direct: true }))
  })

  test('because of its overlay, the same', async (t) => {
    await fills(t, (folder) => ({ overlay: join(folder, 'overlay') }))
  })
})

test('a disk whose process may not write that far (RLIMIT_FSIZE) answers with an error, and lives', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'userworker-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const image = join(folder, 'image')
  writeFileSync(image, '')
  truncateSync(image, 2 ** 26)
  // The memory of its guest is a file as well.
  const most = 2 ** 25
  const under = ['prlimit', `--fsize=${most}`]
  const args = [image, '{}', String(perWrite)]
  const child = new Child(t, './full-disk.fixture.js', { under, args })
  const ready = await child.says<true | { code: string; message: string }>('ready')
  if (ready !== true) return skipFor(t, ready)
  child.tell(`write ${most / perWrite - 4} 8`)
  assert.deepEqual(await child.says('statuses'), [0, 0, 0, 0, 1, 1, 1, 1])
  child.tell('verify')
  assert.equal(await child.says('verified'), 'what was written is there, before')
  child.tell('end')
  assert.deepEqual(await child.ended, [0, null], child.other)
})
