/**
 * The command `demo`: its arguments, Ctrl-C, and its exit codes: 0 all is as it should be; 1 a
 * mismatch, or the output could not be written; 2 a wrong call; 130 and 143 interrupted.
 *
 * @module
 */
import { opendirSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { UserWorkerError } from '../../index.js'
import { parallelism } from '../../os/limits.js'
import { Course, type Wish } from './course.js'
import { Refusal } from './findings.js'
import { Interrupted, InterruptListener } from './interrupt.js'
import { checkPlace } from './output.js'
import { bytePath, isSystemError, reasonOf, type BytePath } from './path.js'
import { printable } from '../terminal/index.js'
import { Screen } from './screen.js'
import { LineView, type View } from './view.js'

/** The most that a queue takes. */
const mostWorkers = 1024

const defaultSource = 'node_modules'

interface Options {
  readonly out?: string
  readonly workers?: number
}

/** Adds the command `demo [DIR] [--out DIR] [--workers N]`. */
export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .summary('press and sum all files of a folder with workers, and check every one')
    .description(
      'Presses (gzip) and sums (SHA-256) all files of a folder: twice with workers, twice on the ' +
        'main thread alone. Compares every sum, manifest and pressed file, and says how much ' +
        'faster the workers were.',
    )
    .argument('[DIR]', `the folder; default: ${defaultSource} in the current one`)
    .option('--out <DIR>', 'keep the output here, a folder that is new or empty')
    .option('--workers <N>', 'how many workers; default: the CPUs this process may use', workersIn)
    .action(async (source: string | undefined, options: Options, command: Command) => {
      try {
        process.exitCode = await demo(wishOf(source, options))
      } catch (error) {
        const { message, exitCode } = endOf(error)
        command.error(`error: ${message}`, { exitCode })
      }
    })
}

function workersIn(text: string): number {
  const workers = Number(text)
  if (/^\d+$/.test(text) && workers >= 1 && workers <= mostWorkers) return workers
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${mostWorkers}.`)
}

/** @throws Refusal */
function wishOf(source: string | undefined, { out, workers = parallelism() }: Options): Wish {
  const real = realFolder(source ?? defaultSource, source === undefined)
  const place = out === undefined ? null : resolve(out)
  if (place !== null) checkPlace(place, real)
  return { source: real, place, workers }
}

function realFolder(path: string, isDefault: boolean): BytePath {
  try {
    const real = realpathSync.native(path, 'buffer')
    opendirSync(real).closeSync()
    return bytePath(real)
  } catch (error) {
    const hint = isDefault ? '; name another folder: userworker demo DIR' : ''
    throw new Refusal(`${printable(path)}: ${reasonOf(error)}${hint}`, 2)
  }
}

async function demo(wish: Wish): Promise<number> {
  const view = viewFor(process.stdout)
  const interrupt = new InterruptListener((interrupted) => {
    view.end()
    const left = course.output?.abandon() ?? null
    const behind = left === null ? '' : `; output is left behind: ${left}`
    process.stderr.write(`userworker: ended by a second ${interrupted.by}${behind}\n`)
    process.exit(interrupted.exitCode)
  })
  const course = new Course(wish, view, interrupt.signal)
  // For ends that nobody planned, such as a reader of our output that went away.
  const atExit = (): void => {
    try {
      view.end()
    } finally {
      course.output?.removeNow()
    }
  }
  process.once('exit', atExit)
  try {
    return await course.run()
  } finally {
    process.off('exit', atExit)
    interrupt.close()
  }
}

function viewFor(stream: NodeJS.WriteStream): View {
  return stream.isTTY && process.env['TERM'] !== 'dumb' ? new Screen() : new LineView()
}

/** What to say and give back. An error that is nobody's but ours goes on. */
function endOf(error: unknown): { message: string; exitCode: number } {
  if (error instanceof Refusal) return error
  if (error instanceof Interrupted) {
    const works = error.works === '' ? '' : `${error.works}; `
    return { message: `${error.message}: ${works}no output is left`, exitCode: error.exitCode }
  }
  if (isSystemError(error) || error instanceof UserWorkerError) {
    const message = `${printable(error.message)}; no output is left`
    return { message, exitCode: 1 }
  }
  throw error
}
