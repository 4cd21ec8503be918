/**
 * The function of a queue's worker: load the handlers, set up, serve works until told to stop, tear
 * down.
 *
 * @module
 */
import { runWithin } from '../carry/index.js'
import { nextTurn, now } from '../os/clock.js'
import { Completions } from '../ring/index.js'
import { reportOf, thrownOf, type OwnSelf } from '../worker/thread-side.js'
import type { Host } from './host.js'
import { Handlers } from './numbered-handlers.js'
import { OwnModule } from './own-module.js'
import { Post } from './post.js'
import { ChildProcess, passerOf } from './process/index.js'
import type { ServeData, ToServer } from './protocol.js'
import { running } from './running.js'
import { Serving } from './serving.js'

/**
 * After its last work the thread blocks this long, in which a wake costs least; then it sleeps in
 * its event loop, where timers, servers and sockets of the handlers' module go on.
 */
const blockedMs = 5
/** A thread that always finds works turns its event loop this often. */
const turnEveryMs = 5

/** @returns the exit code: 0, or 1 when the module was no good */
export default async function serve(data: ServeData, self: OwnSelf): Promise<number> {
  const definitions: (ToServer & { type: 'handler' })[] = []
  let handlers: Handlers | null = null
  let serving: Serving | null = null
  const hear = (message: ToServer): void => {
    if (message.type === 'kill') host.kill()
    else if (message.type === 'handler') {
      if (handlers === null) definitions.push(message)
      else handlers.define(message.number, message.name, message.source)
    } else if (serving !== null) serveMessage(message, serving, host, post)
  }
  // The messages with arguments come in the order in which they were asked for.
  const post = new Post(
    data.port,
    new Completions(data.completions),
    hear,
    () => serving?.argumentsUnreadable(),
    data.child === null ? undefined : passerOf,
  )
  const host: Host =
    data.child === null
      ? new OwnModule(data.module, data.data)
      : new ChildProcess(data, self.name, data.child, {
          tell: (message) => post.tell(message),
          stood: () => self.ring(),
        })
  self.companion = host.companion
  try {
    await host.load()
  } catch (error) {
    post.tell({ type: 'unfit', error: reportOf(error) })
    return 1
  }
  const known = new Handlers(host, (number) => post.receive(() => known.has(number)))
  for (const { number, name, source } of definitions) known.define(number, name, source)
  handlers = known
  serving = new Serving(data, self, known, post)
  post.tell({ type: 'ready' })
  const served = serveUntilStopped(serving, self)
  await (host.died === null ? served : Promise.race([served, host.died]))
  await host.teardown()
  return 0
}

/** Serves works; comes back when it is to leave, and has none. */
async function serveUntilStopped(serving: Serving, self: OwnSelf): Promise<void> {
  let turned = now()
  /** Whether it was woken for a work, and has not looked for one since. */
  let woken = false
  for (;;) {
    // (a) signals; (b) from here on each wake is heard; (c) works; (d) leave; (e) sleep (VH-13).
    self.stand(serving.isBetweenWorks ? 'work' : 'anywhere')
    const heard = self.listen()
    woken = serving.getUp() || woken
    const pumped = serving.pump()
    if (pumped === 'full') serving.passOn(woken)
    if (pumped !== 'rung') woken = false
    if (serving.isLeaving && serving.count === 0) return
    if (pumped === 'turn' || now() - turned >= turnEveryMs) {
      await nextTurn()
      turned = now()
      // A work may have ended meanwhile: its place is free, and nobody else looks for the next one.
      continue
    }
    if (pumped === 'rung') continue
    const isIdle = serving.count === 0
    if (pumped === 'empty' && !serving.isLeaving) {
      if (isIdle && serving.look(heard)) continue
      if (!serving.lieDown()) continue
    }
    if (await self.idle(heard, isIdle ? blockedMs : 0)) turned = now()
  }
}

function serveMessage(message: ToServer, serving: Serving, host: Host, post: Post): void {
  switch (message.type) {
    case 'args':
      serving.begin(message.id, message.args)
      break
    case 'no-args':
      serving.begin(message.id, null)
      break
    case 'abort': {
      const work = serving.find(message.id)
      // As the work itself, so that its listeners may ask for `current()`.
      if (work !== undefined) {
        const abort = (): void => work.abort(thrownOf(message.reason))
        runWithin(work.steps, () => running.run(work, abort))
      }
      break
    }
    case 'credit':
      serving.find(message.id)?.addCredit(message.count)
      break
    case 'broadcast':
      void callOnce(message, host, post)
      break
    case 'handler':
    case 'kill':
    case 'chunk':
    case 'share':
    case 'unshare':
    case 'context':
    case 'next':
    // Heard before.
  }
}

async function callOnce(
  { call, name, args, carried }: ToServer & { type: 'broadcast' },
  host: Host,
  post: Post,
): Promise<void> {
  try {
    // Beside the works, also where it was heard inside of one, at its checkpoint.
    await Promise.resolve()
    const steps = post.restorer.stepsOf(0, carried)
    const value = await runWithin(steps, () => host.named(name)(...args))
    post.tellValue({ type: 'broadcast-done', call, value }, 'The result of a broadcast')
  } catch (error) {
    post.tell({ type: 'broadcast-failed', call, error: reportOf(error) })
  }
}
