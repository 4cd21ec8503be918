/**
 * Serves an entropy device at a socket, and reads from it as a guest would. With the path of a socket it
 * goes on serving instead, for QEMU:
 *
 *     node build/examples/rng.js /tmp/rng.sock
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Frontend } from 'userworker/testing'
import { serve } from 'userworker/vhost'
import type { RngData } from './rng-device.js'

const [, , path] = process.argv
const socket = path ?? join(tmpdir(), `rng-${process.pid}.sock`)
const device = await serve<RngData>(new URL('./rng-device.js', import.meta.url), {
  socket,
  data: path === undefined ? { seed: 'an example' } : {},
})

if (path === undefined) {
  const guest = await Frontend.connect(socket)
  const { writable } = await guest.queue.request([], [8])
  console.log(`8 bytes: ${Buffer.from(writable[0] ?? []).toString('hex')}`)
  await guest.close()
  await device.close()
} else {
  console.log(`-chardev socket,id=rng,path=${socket} -device vhost-user-rng-pci,chardev=rng`)
  console.log('-object memory-backend-memfd,id=m,size=512M,share=on -machine memory-backend=m')
  process.once('SIGINT', () => void device.close())
}
