/**
 * The inside of a worker's thread: load the module, stand at the gate, call the function, leave.
 *
 * @module
 */
import { inspect } from 'node:util'
import * as memory from '#memory'
import { invalid, UserWorkerError } from '../errors.js'
import { osThreadId, setNice, setThreadName, visibleName } from '../os/proc.js'
import { workerData } from '../os/thread.js'
import { reportOf } from './error-report.js'
import { loadModule } from './load.js'
import type { Boot, ToOwner, ToThread } from './protocol.js'
import { EINTR, OwnSelf, type Self } from './self.js'
import { Flag, hasFlag, State, stateOf, take } from './state.js'
import { at, Field, setOwnRow, table } from './table.js'

type Run = (data: unknown, self: Self) => unknown

const boot = workerData as Boot
const words = table()
const control = at(boot.row, Field.CONTROL)
const self = new OwnSelf(words, boot.row, boot.name)

/** Before any code of the user's can put another in its place. */
const exit = process.exit.bind(process)

const tell = (message: ToOwner): void => boot.port.postMessage(message)

async function live(): Promise<void> {
  identify()
  listen()
  let run: Run
  try {
    run = functionOf(await loadModule(boot.module))
  } catch (error) {
    tell({ type: 'failed', error: reportOf(error) })
    return leave(EINTR)
  }
  take(words, control, 'loaded')
  tell({ type: 'created' })
  if (!(await gate())) return leave(EINTR)
  tell({ type: 'entered' })
  let code: number
  try {
    code = exitCodeOf(await run(boot.data, self))
  } catch (error) {
    tell({ type: 'threw', error: reportOf(error) })
    code = 1
  }
  leave(code)
}

/** Says who we are before anything of the user's runs (UW-10). */
function identify(): void {
  setOwnRow(boot.row)
  memory.store(words, at(boot.row, Field.OS_THREAD), osThreadId() ?? 0)
  setThreadName(0, visibleName(boot.name))
  if (boot.nice !== null) setNice(osThreadId() ?? 0, boot.nice)
}

function listen(): void {
  // The port also keeps this thread's event loop alive, so that a function may wait for anything.
  boot.port.on('message', (message: ToThread) => {
    switch (message.type) {
      case 'look':
        self.ring()
    }
  })
  process.on('uncaughtExceptionMonitor', (error) =>
    tell({ type: 'uncaught', error: reportOf(error) }),
  )
  process.on('exit', (exitCode) => {
    if (stateOf(memory.load(words, control)) === State.EXITED) return
    tell({ type: 'left', exitCode })
    finish(exitCode)
  })
}

/**
 * Waits until the owner opens the gate or asks to stop. True: the function is to be called, now.
 */
function gate(): Promise<boolean> {
  return new Promise((resolve) => {
    // Waker: `start` and `requestStop` set their flag, then ring. The word is read after we listen.
    const look = (): void => {
      const entered = take(words, control, 'enter')
      if (!entered && !hasFlag(memory.load(words, control), Flag.STOP)) return
      deaf()
      resolve(entered)
    }
    const deaf = self.onRing(look)
    look()
  })
}

/**
 * Makes the exit code final: after this, our code in this thread touches nothing shared (INV-KT-2).
 */
function finish(code: number): void {
  if (stateOf(memory.load(words, control)) === State.EXITED) return
  const entered = hasFlag(memory.load(words, control), Flag.ENTERED)
  memory.store(words, at(boot.row, Field.EXIT_CODE), entered ? code : EINTR)
  take(words, control, 'finish')
}

function leave(code: number): void {
  finish(code)
  exit(code)
}

function functionOf(module: Record<string, unknown>): Run {
  const found = module['default']
  if (typeof found === 'function') return found as Run
  throw new UserWorkerError(
    'ERR_NO_HANDLER',
    `${boot.module} must export its function as default. It exports: ${Object.keys(module).join(', ') || 'nothing'}`,
  )
}

function exitCodeOf(returned: unknown): number {
  if (returned === undefined) return 0
  if (typeof returned === 'number' && (returned | 0) === returned) return returned
  throw invalid(
    `The function of worker '${boot.name}' returned ${inspect(returned, { depth: 0 })}. ` +
      'It must return nothing or its exit code: a whole number of 32 bits',
  )
}

live().catch((error: unknown) => {
  tell({ type: 'threw', error: reportOf(error) })
  leave(1)
})
