/**
 * The function of a queue's worker: load the handlers, set up, serve works until told to stop, tear
 * down.
 *
 * @module
 */
import * as memory from '#memory'
import { UserWorkerError } from '../errors.js'
import { loadFailure, loadModule, reportOf, thrownOf, type Self } from '../worker/index.js'
import { trace } from './trace.js'
import type { ServeData, ToQueue, ToServer } from './protocol.js'
import { running, transfers, type CurrentWork } from './running.js'

type Handler = (...args: readonly unknown[]) => unknown

/** Exported functions that are no handlers. */
const reserved = new Set(['setup', 'teardown'])

class Running implements CurrentWork {
  readonly #abort = new AbortController()

  constructor(
    readonly id: number,
    readonly name: string,
    readonly key: unknown,
  ) {}

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  abort(reason: unknown): void {
    this.#abort.abort(reason)
  }
}

/** @returns the exit code: 0, or 1 when the module was no good */
export default async function serve(
  { port, module: url, data, begun }: ServeData,
  self: Self,
): Promise<number> {
  const tell = (message: ToQueue): void => port.postMessage(message)
  let module: Record<string, unknown>
  try {
    module = await setUp(url, data)
  } catch (error) {
    tell({ type: 'unfit', error: reportOf(error) })
    return 1
  }
  const works = new Map<number, Running>()
  port.on('message', (message: ToServer) => {
    switch (message.type) {
      case 'run': {
        const work = new Running(message.id, message.name, message.key)
        works.set(work.id, work)
        // Pairs with `Server.#exited`: a work that is not begun here may be given to another
        // thread.
        memory.store(begun, 0, work.id)
        void perform(work, message.args).then((answer) => {
          works.delete(work.id)
          send(port, answer)
        })
        break
      }
      case 'abort': {
        const work = works.get(message.id)
        // As the work itself, so that its listeners may ask for `current()`.
        if (work !== undefined) running.run(work, () => work.abort(thrownOf(message.reason)))
      }
    }
  })
  port.on('messageerror', () => tell({ type: 'unreadable' }))
  tell({ type: 'ready' })
  await stopped(self.signal)
  const { teardown } = module
  if (typeof teardown === 'function') await teardown()
  return 0

  async function perform(
    work: Running,
    args: readonly unknown[],
  ): Promise<ToQueue & { readonly id: number }> {
    trace('execute-start', { work })
    try {
      const handler = handlerOf(url, module, work.name)
      return { type: 'done', id: work.id, value: await running.run(work, handler, ...args) }
    } catch (error) {
      return { type: 'failed', id: work.id, error: reportOf(error) }
    } finally {
      trace('execute-end', { work })
    }
  }
}

async function setUp(url: string, data: unknown): Promise<Record<string, unknown>> {
  const module = await loadModule(url)
  const { setup } = module
  try {
    if (typeof setup === 'function') await setup(data)
  } catch (cause) {
    throw loadFailure(`The setup of ${url}`, cause)
  }
  return module
}

function handlerOf(url: string, module: Record<string, unknown>, name: string): Handler {
  const found = Object.hasOwn(module, name) && !reserved.has(name) ? module[name] : undefined
  if (typeof found === 'function') return found as Handler
  const names = Object.keys(module).filter(
    (key) => typeof module[key] === 'function' && !reserved.has(key),
  )
  throw new UserWorkerError(
    'ERR_NO_HANDLER',
    `${url} has no handler '${name}'. It has: ${names.join(', ') || 'none'}`,
  )
}

/** Posts an answer; one that cannot be cloned becomes the failure that says so. */
function send(port: ServeData['port'], answer: ToQueue & { readonly id: number }): void {
  const list =
    answer.type === 'done' && typeof answer.value === 'object' && answer.value !== null
      ? transfers.get(answer.value)
      : undefined
  try {
    port.postMessage(answer, list)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const text = `The result of a work cannot be sent back: ${why}`
    const error = new UserWorkerError('ERR_NOT_CLONEABLE', text, { cause })
    const failure: ToQueue = { type: 'failed', id: answer.id, error: reportOf(error) }
    port.postMessage(failure)
  }
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
