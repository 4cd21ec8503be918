/**
 * A program of a user, as an ES module and as CommonJS: its queue is typed from the module of its handlers.
 *
 * @module
 */

/** Handlers, with one for each kind of argument and result. */
const handlers = `
export function add(a: number, b: number): number {
  return a + b
}
export async function greet(name: string, shout?: boolean): Promise<string> {
  return shout ? name.toUpperCase() : 'hello ' + name
}
export function setup(data: unknown): void {
  void data
}
export const limit = 3
`

const uses = (kind: 'mjs' | 'cjs', here: string): string => `
import { UserWorker, UserWorkerError, WorkQueue } from 'userworker'
import type { ErrorCode, Self, Work, WorkQueueOptions } from 'userworker'

export async function main(): Promise<void> {
  const options: WorkQueueOptions = { name: 'typed', maxWorkers: { bounded: 1 } }
  const url = new URL('./handlers.${kind}', ${here})
  const queue = new WorkQueue<typeof import('./handlers.${kind}')>(url, options)
  const sum: number = await queue.run('add', [2, 3], { key: 'a' })
  const work: Work<string> = queue.enqueue('greet', ['Ada'], { unbounded: true })
  const hello: string = await work.result
  const loud = (await queue.run('greet', ['ada', true])).toUpperCase()
  const poller = await UserWorker.create(new URL('./poller.${kind}', ${here}), { data: 7 })
  await poller.start()
  const code: number = await poller.stop()
  const closed: { stuck: readonly unknown[] } = await queue.close()
  void closed
  console.log('sum ' + sum + ', ' + hello + ', loud ' + loud + ', poller left with ' + code)
}

/** Compiled, never called. */
export async function wrong(queue: WorkQueue<typeof import('./handlers.${kind}')>): Promise<void> {
  // @ts-expect-error there is no such handler
  await queue.run('subtract', [1, 2])
  // @ts-expect-error setup is no handler
  await queue.run('setup', [1])
  // @ts-expect-error a constant is no handler
  await queue.run('limit', [])
  // @ts-expect-error the second argument must be a number
  await queue.run('add', [1, '2'])
  // @ts-expect-error there is an argument too few
  await queue.run('add', [1])
  // @ts-expect-error the arguments are needed
  await queue.run('add')
  // @ts-expect-error there is an argument too many
  await queue.run('add', [1, 2, 3])
  // @ts-expect-error the result is a number
  const text: string = await queue.run('add', [1, 2])
  // @ts-expect-error there is no such option of a work
  queue.enqueue('greet', ['a'], { colour: 'red' })
  // @ts-expect-error the result of greet is a string
  const work: Work<number> = queue.enqueue('greet', ['a'])
  // @ts-expect-error there is no such option of a queue
  new WorkQueue(new URL('file:///x.js'), { threads: 3 })
  // @ts-expect-error there is no such option of a worker
  await UserWorker.create('/x.js', { title: 'x' })
  // @ts-expect-error there is no such code
  const code: ErrorCode = 'ERR_NO_LUCK'
  // @ts-expect-error a worker is made by create()
  new UserWorker()
  void [text, work, code, UserWorkerError, {} as Self]
}
`

/** Devices, and the other side. It is compiled, and not run: its package is not installed here. */
const device = `
import type { DeviceFactory, DiskStats, ServeDiskOptions } from 'userworker/vhost'

export async function guest(options: ServeDiskOptions): Promise<[DiskStats, Uint8Array[]]> {
  const { serve, serveDisk } = await import('userworker/vhost')
  const { Frontend } = await import('userworker/testing')
  const { socket } = options
  const device = await serve('/device.js', { socket, data: { start: 7 } })
  device.on('disconnect', (reason: string | null) => void reason)
  const disk = await serveDisk('/disk.img', { socket, faults: [{ action: 'lose', operation: 'flush' }] })
  const frontend = await Frontend.connect(socket, { queues: 2 })
  const { writable } = await frontend.queue.request([new Uint8Array(16)], [512, 1])
  // @ts-expect-error there is no such action
  await serveDisk('/disk.img', { socket, faults: [{ action: 'rot', operation: 'read' }] })
  // @ts-expect-error a disk needs a socket
  await serveDisk('/disk.img', {})
  return [disk.stats(), [...writable]]
}

export const factory: DeviceFactory<{ start: number }> = ({ start }, host) => ({
  id: 42,
  process: (request) => (host.isControl ? 0 : request.writable.write(0, new Uint8Array([start]))),
})
`

const poller = `
import type { Self } from 'userworker'
import { current } from 'userworker/current'

export default async function (data: number, self: Self): Promise<number> {
  void current
  while (!self.shouldStop()) await self.sleep(1000)
  return data
}
`

const esm = 'import.meta.url'
const cjs = "'file://' + __filename"

/** The files of the program. */
export const consumer: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "consumer", "private": true }',
  'handlers.mts': handlers,
  'handlers.cts': handlers,
  'poller.mts': poller,
  'poller.cts': poller,
  'device.mts': device,
  'device.cts': device,
  'main.mts': `${uses('mjs', esm)}\nawait main()\n`,
  'main.cts': `${uses('cjs', cjs)}\nvoid main()\n`,
}
