/**
 * A guest that writes all the time, until it is killed. It says each round that was answered.
 *
 * Its arguments: the socket, the number of its sectors, and the round that it begins with.
 */
import { Frontend } from 'userworker/testing'
import { blkRequest } from './blk-request.js'

const [socket = '', ...numbers] = process.argv.slice(2)
const [sectors = 0, begin = 0] = numbers.map(Number)
const frontend = await Frontend.connect(socket, { waitMs: 20_000 })
const blk = blkRequest(frontend.queue)
for (let round = begin; ; round++) {
  const bytes = new Uint8Array(new Uint32Array(128).fill(round).buffer)
  const writes = Array.from({ length: sectors }, (_, at) => blk.write(at * 512, bytes))
  const isDone = (await Promise.all(writes)).every(({ status }) => status === 0)
  console.log(JSON.stringify(isDone ? { round } : { failed: round }))
}
