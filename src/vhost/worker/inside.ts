/**
 * What runs in the thread of a vhost worker.
 *
 * @module
 */
import { loop, type Loop, type LoopOptions } from '../../worker/thread-side.js'
import { Aboard } from './aboard.js'
import type { Birth, Command } from './commands.js'
import { Crew } from './crew.js'

/** The devices of this thread, by their owner's numbers. */
const devices = new Map<number, Aboard>()

let crew: Crew | null = null
let isOver = false

/** The thread's loop. */
export function serveVrings(onOwnerKill: LoopOptions['onOwnerKill']): Loop<Birth> {
  const batch = (birth: Birth): boolean => {
    crew ??= new Crew(birth, obey)
    return crew.batch()
  }
  const sleep = (): void | Promise<void> => crew?.sleep()
  if (onOwnerKill !== 'die') return loop(batch, { onOwnerKill: onOwnerKill ?? 'end', sleep })
  return loop(batch, { onOwnerKill, sleep, onKill: () => crew?.close(closeAll) })
}

function obey(command: Command): number | Promise<number> {
  if (command.type === 'open') return open(command)
  const device = devices.get(command.device)
  if (device === undefined) throw new Error(`There is no device ${command.device} in this thread`)
  return carryOut(device, command)
}

type OfDevice = Exclude<Command, { type: 'open' }>

function carryOut(device: Aboard, command: OfDevice): number | Promise<number> {
  if (command.type === 'close') {
    devices.delete(command.device)
    return device.close().then(nothing)
  }
  if (command.type === 'memory') return device.setMemory(command.regions).then(nothing)
  const { vring } = command
  if (command.type === 'stop') return device.stop(vring)
  if (command.type === 'start') device.start(vring, command.item, command.setup)
  else device.change(vring, command.change)
  return 0
}

async function open(command: Extract<Command, { type: 'open' }>): Promise<number> {
  const device = await Aboard.open(crew as Crew, command)
  if (isOver) await device.close()
  else devices.set(command.device, device)
  return 0
}

/** What devices have of the system is the process's, and does not end with this thread. */
async function closeAll(): Promise<void> {
  isOver = true
  const ends = [...devices.values()].map((device) => device.close())
  devices.clear()
  // Nobody is left who could be told of an error.
  await Promise.allSettled(ends)
}

const nothing = (): number => 0
