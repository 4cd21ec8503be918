/**
 * A program that serves a disk and is its guest too: it writes and reads what it is told.
 *
 * Its arguments: the image, options of the disk as JSON, and how many bytes a write has.
 */
import { createInterface } from 'node:readline'
import { Frontend } from 'userworker/testing'
import { serveDisk } from 'userworker/vhost'
import { blkRequest } from './blk-request.js'

const [image = '', options = '{}', length = ''] = process.argv.slice(2)
const perWrite = Number(length)
const say = (said: object): void => console.log(JSON.stringify(said))
const socket = `/tmp/userworker-full-${process.pid}.sock`

async function served(): Promise<[Awaited<ReturnType<typeof serveDisk>>, Frontend] | null> {
  try {
    const disk = await serveDisk(image, { socket, ...(JSON.parse(options) as object) })
    return [disk, await Frontend.connect(socket)]
  } catch (error) {
    const { code, message, cause } = error as Error & { code: string }
    say({ ready: { code, message: `${message} ${String(cause)}` } })
    return null
  }
}

const pair = await served()
if (pair === null) process.exit(0)
const [disk, frontend] = pair
const blk = blkRequest(frontend.queue)
/** What each piece is filled with, where a write said that it was done. */
const filled = new Map<number, number>()

async function write(first: number, count: number): Promise<number[]> {
  const statuses: number[] = []
  for (let piece = first; piece < first + count; piece++) {
    const value = 1 + (piece % 255)
    const { status } = await blk.write(piece * perWrite, new Uint8Array(perWrite).fill(value))
    if (status === 0) filled.set(piece, value)
    statuses.push(status)
  }
  return statuses
}

async function verify(): Promise<string> {
  for (const [piece, value] of filled) {
    const { status, data } = await blk.read(piece * perWrite, perWrite)
    if (status !== 0 || data.some((byte) => byte !== value)) return `piece ${piece} is not`
  }
  return 'what was written is there, before'
}

say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, first, count] = line.split(' ')
  if (verb === 'end') break
  if (verb === 'write') say({ statuses: await write(Number(first), Number(count)) })
  if (verb === 'verify') say({ verified: await verify() })
}
await frontend.close()
await disk.close()
process.exit(0)
