/**
 * The inside of a worker's thread: become somebody, load the module, stand at the gate, call the
 * function, leave.
 *
 * @module
 */
import * as memory from '#memory'
import { invalid, UserWorkerError } from '../errors.js'
import { osThreadId, setNice, setThreadName, visibleName } from '../os/proc.js'
import { MessagePort, workerData } from '../os/thread.js'
import { controlOf, EINTR, finish } from './control.js'
import { reportOf } from './error-report.js'
import { loadModule } from './load.js'
import { isLoopFunction, onOwnerKillOf, runLoop } from './loop.js'
import { spareName, type Boot, type Identity, type ToOwner, type ToThread } from './protocol.js'
import { Scope } from './scope.js'
import { OwnSelf, type Self } from './self.js'
import { Flag, hasFlag, isExited, take } from './state.js'
import { at, Field, setOwnRow, table, waits } from './table.js'
import { builtin } from '../os/builtin.js'

const { inspect } = builtin('node:util')

type Run = (data: unknown, self: Self) => unknown

const { port, row, spare } = bootOf(workerData)
const words = table()
const control = at(row, Field.CONTROL)

/** How Node itself leaves a thread, behind `process.exit` and its listeners. */
type Exiting = { reallyExit: (code: number) => void }

/** Both before any code of the user's can put another in its place. */
const exit = process.exit.bind(process)
const { reallyExit } = process as unknown as Exiting

/** What a thread of ours is born with; the file is loaded nowhere else. */
function bootOf(data: unknown): Boot {
  const boot = (data ?? {}) as Partial<Boot>
  if (boot.port instanceof MessagePort && typeof boot.row === 'number') return boot as Boot
  throw invalid(
    "'userworker/entry' is where the library's threads begin: import it only in a file of its own, " +
      "which a bundler makes and the option 'entry' names",
  )
}

const tell = (message: ToOwner): void => port.postMessage(message)

/** Becomes what the owner says, once. Until then the thread is nobody (INV-UW-2). */
function awaitIdentity(): void {
  setOwnRow(row)
  memory.store(words, at(row, Field.OS_THREAD), osThreadId() ?? 0)
  let self: OwnSelf | null = null
  // The port also keeps this thread's event loop alive, so that a function may wait for anything.
  port.on('message', (message: ToThread) => {
    if (message.type === 'look') return self?.ring()
    const { identity } = message
    if (spare) take(words, control, 'adopt')
    self = new OwnSelf(words, row, identity.name, {
      parked: () => tell({ type: 'parked' }),
      lookBelow: () => Scope.current().look(),
      leave,
    })
    live(identity, self).catch((error: unknown) => {
      tell({ type: 'threw', error: reportOf(error) })
      leave(1)
    })
  })
  port.on('messageerror', (cause: unknown) => {
    const text = `The data of the worker could not be read in its thread: ${String(cause)}`
    const error = new UserWorkerError('ERR_NOT_CLONEABLE', text, { cause })
    tell({ type: 'failed', error: reportOf(error) })
    leave(EINTR)
  })
  process.on('uncaughtExceptionMonitor', (error) =>
    tell({ type: 'uncaught', error: reportOf(error) }),
  )
  process.on('exit', (exitCode) => {
    if (isExited(controlOf(words, row))) return
    tell({ type: 'left', exitCode })
    finish(words, row, exitCode)
  })
  if (!spare) return
  setThreadName(0, visibleName(spareName))
  memory.store(words, at(row, Field.WAITING), waits.indexOf('adoption'))
  take(words, control, 'booted')
  tell({ type: 'booted' })
}

async function live(identity: Identity, self: OwnSelf): Promise<void> {
  become(identity)
  let run: Run
  try {
    for (const url of identity.preload) await loadModule(url, 'Preloading')
    run = functionOf(identity, await loadModule(identity.module))
  } catch (error) {
    tell({ type: 'failed', error: reportOf(error) })
    return leave(EINTR)
  }
  take(words, control, 'loaded')
  tell({ type: 'created', onOwnerKill: onOwnerKillOf(run) })
  if (!(await entered(self))) return leave(EINTR)
  // Who froze it since the gate took it for one that has not begun, and believes that it stands.
  self.checkpoint()
  tell({ type: 'entered' })
  let code: number
  try {
    const returned = isLoopFunction(run)
      ? runLoop(run, identity.data, self)
      : run(identity.data, self)
    code = exitCodeOf(identity.name, await returned)
  } catch (error) {
    tell({ type: 'threw', error: reportOf(error) })
    code = 1
  }
  leave(code)
}

/** Takes on the identity in one step, before anything of the user's runs (UW-10). */
function become({ name, nice, argv, env }: Identity): void {
  memory.store(words, at(row, Field.WAITING), waits.indexOf('nothing'))
  // A spare was named by its owner.
  if (!spare) setThreadName(0, visibleName(name))
  if (nice !== null) setNice(osThreadId() ?? 0, nice)
  process.argv.splice(2, Infinity, ...argv)
  if (env !== null) {
    for (const key of Object.keys(process.env)) if (!(key in env)) delete process.env[key]
    for (const [key, value] of Object.entries(env)) {
      if (process.env[key] !== value) process.env[key] = value
    }
  }
}

/**
 * Waits until the owner opens the gate or asks to stop. True: the function is to be called, now.
 */
async function entered(self: OwnSelf): Promise<boolean> {
  // Waker: `start`, `unpark` and `requestStop` change the word, then send 'look'.
  await self.gate(() => take(words, control, 'enter') || hasFlag(controlOf(words, row), Flag.STOP))
  return hasFlag(controlOf(words, row), Flag.ENTERED)
}

/**
 * Ends the thread, and never comes back to who called it. Listeners of `process` for 'exit' still
 * run, and may themselves call `process.exit` or throw; `last` runs when nothing else will.
 */
function leave(code: number, last?: () => void): never {
  finish(words, row, code)
  if (last !== undefined) {
    const node = process as unknown as Exiting
    node.reallyExit = (nodeCode) => {
      last()
      reallyExit.call(process, nodeCode)
    }
  }
  try {
    return exit(code)
  } catch (error) {
    tell({ type: 'threw', error: reportOf(error) })
    // Node calls the listeners once: this time nobody comes between.
    return exit(code)
  }
}

function functionOf({ module: url }: Identity, module: Record<string, unknown>): Run {
  const found = module['default']
  if (typeof found === 'function') return found as Run
  throw new UserWorkerError(
    'ERR_NO_HANDLER',
    `${url} must export its function as default. It exports: ${Object.keys(module).join(', ') || 'nothing'}`,
  )
}

function exitCodeOf(name: string, returned: unknown): number {
  if (returned === undefined) return 0
  if (typeof returned === 'number' && (returned | 0) === returned) return returned
  throw invalid(
    `The function of worker '${name}' returned ${inspect(returned, { depth: 0 })}. ` +
      'It must return nothing or its exit code: a whole number of 32 bits',
  )
}

awaitIdentity()
