/**
 * A program that serves a device, and has no descriptor left when a frontend comes, nor for some time
 * after. It prints what its server tells.
 *
 * @module
 */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { close } from '../os/events.js'
import { connect } from '../os/sockets.js'
import { FakeBackend } from './backend.fixture.js'
import { Server } from './server.js'

/** Takes all descriptors that are left. */
function takeAll(): number[] {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch {
    return taken
  }
}

const folder = mkdtempSync(join(tmpdir(), 'uw-none-'))
const socket = join(folder, 's')
let hear = (): void => {}
const server = new Server(new FakeBackend(), {
  socket,
  onEvent: (event) => {
    console.log(event.kind === 'error' ? `error ${event.error.message}` : event.kind)
    hear()
  },
})
const heard = (): Promise<void> =>
  new Promise((resolve) => {
    hear = resolve
  })
// The first line opens what printing needs.
const failed = heard()
const frontend = connect(socket)
const taken = takeAll()
await failed
// It tries again meanwhile, in vain.
await setTimeout(1000)
const connected = heard()
for (const fd of taken) closeSync(fd)
await connected
const gone = heard()
close(frontend)
await gone
await server.close()
rmSync(folder, { recursive: true })
console.log('closed')
