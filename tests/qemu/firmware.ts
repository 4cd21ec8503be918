/**
 * A disk that the firmware boots: what comes out of the serial port was read from it twice.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Guest } from './guest.js'
import { createImage, MiB } from './image.js'
import { expect, type Setting } from './setting.js'

const message = 'read by the firmware'

/** Sector 0: reads sector 1 to 0x7e00 by the firmware, and prints what is there up to a 0. */
function bootSector(): Buffer {
  const code = (packet: number): number[] =>
    [
      [0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x7c], // segments, stack
      [0xbe, packet, 0x7c, 0xb4, 0x42, 0xcd, 0x13], // int 0x13 with the packet
      [0x72, 0xfe], // stay here where it fails
      [0xbe, 0x00, 0x7e], // from 0x7e00 on
      [0xac, 0x84, 0xc0, 0x74, 0x06], // the next character; 0 is the end
      [0xba, 0xf8, 0x03, 0xee, 0xeb, 0xf5], // to the serial port
      [0xf4, 0xeb, 0xfd], // halt
    ].flat()
  const packet = [0x10, 0, 1, 0, 0x00, 0x7e, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
  const sector = Buffer.alloc(512)
  sector.set([...code(code(0).length), ...packet])
  sector.set([0x55, 0xaa], 510)
  return sector
}

export async function firmware({ backend, course, folder }: Setting): Promise<void> {
  await course.step('the firmware boots the disk', async () => {
    const file = join(folder, 'boot.img')
    createImage(file, MiB)
    const fd = openSync(file, 'r+')
    writeSync(fd, bootSector(), 0)
    writeSync(fd, `${message}\n\0`, 512)
    closeSync(fd)
    const wish = { file, socket: join(folder, 'boot.sock'), queues: 1 }
    const served = await backend.serve(wish)
    const machine = { folder, kernel: null, cpus: 1, mebibytes: 64, disks: [wish] }
    const said = await Guest.bootFirmware(machine, message)
    expect(said.includes(message), `it says: ${said}`)
    await served.close()
  })
}
