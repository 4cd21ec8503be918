/**
 * The child process of a worker's thread, from its beginning.
 *
 * @module
 */
import { threadNamePrefix } from '../../os/proc.js'
import { builtin } from '../../os/builtin.js'
import { loadModule, reportOf } from '../../worker/thread-side.js'
import { Handlers } from '../numbered-handlers.js'
import { OwnModule } from '../own-module.js'
import { Calls } from './calls.js'
import { Channel } from './channel.js'
import { stand, watchLifeline } from './lifeline.js'
import type { ToChild, ToThread } from './protocol.js'
import { channelFd } from './spawn.js'
import { decode } from './values.js'

/** Before any code of the user's can put another in its place. */
const exit = process.exit.bind(process)

watchLifeline()
// A terminal sends them to the whole job: what they mean is for the parent to decide, whose end is ours.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

let module: OwnModule | null = null
let calls: Calls | null = null
const channel = new Channel<ToThread, ToChild>(
  new (builtin('node:net').Socket)({ fd: channelFd }),
  hear,
)

// Whoever listens has decided that the process goes on, or how it ends.
process.on('uncaughtExceptionMonitor', (error) => {
  const isHandled = process.listenerCount('uncaughtException') > 0
  if (isHandled || process.hasUncaughtExceptionCaptureCallback()) return
  channel.tell({ type: 'uncaught', error: reportOf(error) })
  exit(1)
})

function hear(message: ToChild): void {
  switch (message.type) {
    case 'begin':
      void begin(message)
      break
    case 'handler':
    case 'call':
    case 'abort':
    case 'credit':
      calls?.hear(message)
      break
    case 'stand':
      stand()
      break
    case 'stop':
      void stop()
  }
}

async function begin(message: ToChild & { type: 'begin' }): Promise<void> {
  process.title = `${threadNamePrefix}${message.name}`
  writeAtOnce(process.stderr)
  if (message.takesStdout) writeAtOnce(process.stdout)
  const own = new OwnModule(message.module, decode(message.data))
  try {
    for (const url of message.preload) await loadModule(url, 'Preloading')
    await own.load()
  } catch (error) {
    channel.tell({ type: 'unfit', error: reportOf(error) })
    return
  }
  module = own
  const heapMb = message.tellsMemory ? (): number => own.heapMb() : null
  calls = new Calls(new Handlers(own, () => {}), (answer) => channel.tell(answer), heapMb)
  channel.tell({ type: 'ready' })
}

/** Node writes to a pipe when there is room in it, and forgets the rest when the process exits. */
function writeAtOnce(output: object): void {
  const { _handle: handle } = output as { _handle?: { setBlocking?(on: boolean): void } }
  handle?.setBlocking?.(true)
}

async function stop(): Promise<void> {
  try {
    await module?.teardown()
    channel.tell({ type: 'stopped', error: null })
  } catch (error) {
    channel.tell({ type: 'stopped', error: reportOf(error) })
  }
  await channel.flushed()
  exit(0)
}
