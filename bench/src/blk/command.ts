/**
 * `npm run bench -- blk`: our disk beside qemu-storage-daemon's, in rounds: in each every side serves
 * the same file once for each setting, in a fresh process, and in the opposite order of the round before.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { fullPace, quickPace, settings, type Pace, type Sample, type Setting } from './cases.js'
import { Recorded, rowsOf } from './figures.js'
import { guestSample, type GuestFiles } from './guest.js'
import { loadGuest } from './library.js'
import { tableOf } from './report.js'
import { ours, peers, serve, sides, type Side } from './sides.js'

const options = {
  json: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  rounds: { type: 'string' },
  setting: { type: 'string', multiple: true },
  side: { type: 'string', multiple: true },
  folder: { type: 'string', default: '/var/tmp' },
} as const

/** Odd, so that the median is one of them. */
const defaultRounds = 5
const MiB = 2 ** 20
const memoryBytes = 64 * MiB
const directBytes = 512 * MiB
const driveMs = 120_000
const script = fileURLToPath(new URL('drive.js', import.meta.url))
const run = promisify(execFile)

/** Where things lie for the time of the bench. */
interface Places {
  readonly folder: string
  /** In memory, and on a real file system. */
  readonly files: { readonly memory: string; readonly disk: string }
  readonly guest: GuestFiles | null
}

/** Measures and prints. */
export async function blk(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options })
  const { json, quick, side: names = sides.map(({ name }) => name) } = values
  const rounds = Number(values.rounds ?? (quick ? 1 : defaultRounds))
  if (!Number.isInteger(rounds) || rounds < 1) return refused('--rounds must be 1 or more')
  const wanted = values.setting ?? settings.map(({ name }) => name)
  const unknown = [
    ...wanted.filter((word) => !settings.some(({ name }) => name === word)),
    ...names.filter((word) => !sides.some(({ name }) => name === word)),
  ]
  if (unknown.length > 0) return refused(`there is no ${unknown.join(', ')}`)
  const chosen = settings.filter(({ name }) => wanted.includes(name))
  const { system } = await loadGuest()
  const isGuest = chosen.some((setting) => setting.isGuest)
  const missing = system.missingPackages([
    'qemu-storage-daemon',
    ...(isGuest ? ['qemu-system-x86_64', 'busybox', 'fio', 'ldd'] : []),
  ])
  if (missing.length > 0)
    return refused(`missing: apt-get install --no-install-recommends ${missing.join(' ')}`)
  const folder = mkdtempSync(join(values.folder, 'userworker-blk-'))
  const memory = mkdtempSync('/dev/shm/userworker-blk-')
  try {
    const files = { memory: join(memory, 'image'), disk: join(folder, 'image') }
    fill(files.memory, memoryBytes)
    if (chosen.some(({ isDirect }) => isDirect)) fill(files.disk, directBytes)
    const places = { folder, files, guest: isGuest ? await guestFiles(folder) : null }
    const record = new Recorded()
    const pace = quick ? quickPace : fullPace
    const takers = sides.filter(({ name }) => names.includes(name))
    for (let round = 0; round < rounds; round++)
      for (const setting of chosen)
        for (const side of round % 2 === 0 ? takers : takers.toReversed()) {
          if (process.stderr.isTTY)
            console.error(`round ${round + 1}: ${setting.name}: ${side.name}`)
          const sample = await sampleOf(side, setting, places, pace)
          for (const [name, figures] of Object.entries(sample))
            record.add(side.name, setting.name, name, figures)
        }
    const peerNames = peers.map(({ name }) => name)
    const rows = chosen.flatMap((setting) => rowsOf(record, setting, ours.name, peerNames))
    if (json) console.log(JSON.stringify({ node: process.versions.node, quick, rounds, rows }))
    else console.log(tableOf(rows, names))
    return 0
  } finally {
    for (const each of [folder, memory]) rmSync(each, { recursive: true })
  }
}

/** Random bytes in all of it, so that nothing is a hole. */
function fill(file: string, size: number): void {
  const fd = openSync(file, 'w')
  const bytes = randomBytes(MiB)
  for (let at = 0; at < size; at += MiB) writeSync(fd, bytes)
  closeSync(fd)
}

async function guestFiles(folder: string): Promise<GuestFiles> {
  const { system } = await loadGuest()
  const kernel = system.findKernel()
  if (kernel === null) throw new Error('there is no kernel')
  const initramfs = join(folder, 'initramfs')
  writeFileSync(initramfs, system.initramfs(kernel, ['fio']))
  return { folder, image: kernel.image, initramfs }
}

async function sampleOf(
  side: Side,
  { isDirect, isGuest, queues }: Setting,
  { folder, files, guest }: Places,
  pace: Pace,
): Promise<Sample> {
  const [file, size] = isDirect ? [files.disk, directBytes] : [files.memory, memoryBytes]
  const wish = { file, socket: join(folder, 'socket'), queues, isDirect }
  const served = await serve(side, wish)
  try {
    if (isGuest && guest !== null) return await guestSample(guest, wish, served, pace)
    const word = pace === quickPace ? 'quick' : 'full'
    const args = [script, wish.socket, `${queues}`, `${size}`, `${served.pid}`, word]
    const { stdout } = await run(process.execPath, args, { timeout: driveMs })
    return JSON.parse(stdout) as Sample
  } finally {
    await served.end()
  }
}

function refused(why: string): number {
  console.error(`npm run bench: ${why}`)
  return 2
}
