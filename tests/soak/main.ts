/**
 * `npm run soak`: mixed load for so long, and what is left of it.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { codeIn, dist } from '../model/catalogue.js'
import { flaws } from './flaws.js'
import type { Sample } from './measures.js'
import type { Account, Plan, Said } from './program.js'
import { reportOf, type Heard, type Report } from './report.js'

const usage = `npm run soak -- [options]

  --minutes N      how long there is load; default 10, a part of one is allowed
  --json           print the findings as JSON, and nothing else
  --seed N         the same choices again, though not the same order of events
  --deadline N     how many seconds anything may take to settle; default 120
  --without NAME   leave an actor out; any number of times
  --flaw NAME      do this wrong on purpose: ${Object.keys(flaws).join(', ')}; any number of times`

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    seed: { type: 'string' },
    deadline: { type: 'string', default: '120' },
    without: { type: 'string', multiple: true, default: [] },
    flaw: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
})

/**
 * V8 goes on compiling for a quarter of an hour, ever less, and keeps what it has compiled: the heap
 * grows by that alone. So nothing is compiled but to bytecode, which is there after the first turns.
 * And the young generation of each thread has one size: else it grows until V8 looks at it again,
 * which in threads that have little to do is minutes later.
 */
const v8Options = [
  '--expose-gc',
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
  '--no-lazy-feedback-allocation',
  '--no-flush-bytecode',
  '--min-semi-space-size=1',
  '--max-semi-space-size=1',
]

process.exitCode = await main()

async function main(): Promise<number> {
  const plan: Plan = {
    ms: Number(options.minutes) * 60_000,
    seed: Number(options.seed ?? randomInt(2 ** 32)),
    deadlineMs: Number(options.deadline) * 1000,
    flaws: options.flaw,
    without: options.without,
  }
  const isWrong = [plan.ms, plan.seed, plan.deadlineMs].some((each) => !(each >= 0))
  if (options.help || isWrong || plan.flaws.some((name) => !(name in flaws))) {
    console.error(usage)
    return 2
  }
  const report = reportOf(await soak(plan))
  for (const complaint of report.complaints) console.error(`npm run soak: ${complaint}`)
  for (const note of report.notes) console.error(note)
  console.log(options.json ? JSON.stringify(report) : await tables(report))
  return report.complaints.length === 0 ? 0 : 1
}

async function soak(plan: Plan): Promise<Heard> {
  const { ms, seed, deadlineMs } = plan
  const program = fileURLToPath(new URL('./program.js', import.meta.url))
  // Without maps of sources: each that is needed for a stack would stay in the heap.
  const args = [...v8Options, program, JSON.stringify(plan)]
  // One arena for all threads: of many, each is left with some pages that are hardly used.
  const env = { ...process.env, MALLOC_ARENA_MAX: '1' }
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  process.on('exit', () => child.kill('SIGKILL'))
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-4000)
  })
  // One that says nothing for so long stands still.
  let ending: string | null = null
  const stuck = (): void => {
    ending = 'it stood still, and was ended'
    child.kill('SIGKILL')
  }
  let watchdog = setTimeout(stuck, 3 * deadlineMs + 60_000)
  const samples: Sample[] = []
  const skipped: string[] = []
  let account: Account | null = null
  createInterface({ input: child.stdout }).on('line', (line) => {
    clearTimeout(watchdog)
    watchdog = setTimeout(stuck, 3 * deadlineMs + 60_000)
    if (!line.startsWith('{')) return
    const said = JSON.parse(line) as Said
    if ('account' in said) account = said.account
    else if ('skipped' in said) skipped.push(said.skipped)
    else {
      samples.push(said.sample)
      const { rss, heap, fds, threads } = said.sample
      const now = `${mb(rss)} MB, heap ${mb(heap)} MB, ${fds} fds, ${threads} threads`
      if (!options.json) console.error(`${said.atMs / 1000} s: ${said.works} works; ${now}`)
    }
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(watchdog)
  if (code !== 0) ending ??= `it ended by ${signal ?? `code ${code}`}: ${words}`
  return { seed, ms, samples, account, skipped, ending }
}

function mb(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

async function tables(report: Report): Promise<string> {
  const terminal = await codeIn(dist)('cli/terminal/index.js')
  const { tableLines } = terminal as typeof import('../../src/cli/terminal/index.js')
  const table = (titles: readonly string[], rows: Record<string, string | number>[]): string[] => {
    const columns = titles.map((title, place) => ({
      name: title,
      title,
      alignment: place === 0 ? ('left' as const) : ('right' as const),
    }))
    return [...tableLines(columns, rows), '']
  }
  const growth = report.growth.map(({ measure, first, last, growthPercent, judged }) => ({
    measure,
    first,
    last,
    growth: `${growthPercent.toFixed(1)} %`,
    limit: judged ? `${limitOf(report)} %` : 'not judged',
  }))
  const works = Object.entries(report.works).map(([kind, count]) => ({ kind, count }))
  const { seed, minutes, samples, submitted, lost, duplicated, wrong, skipped } = report
  return [
    ...table(['measure', 'first', 'last', 'growth', 'limit'], growth),
    ...table(['kind', 'count'], works),
    ...skipped.map((what) => `skipped: ${what}`),
    `seed ${seed}, ${minutes} minutes, ${samples} samples, ${submitted} works:`,
    `${lost} lost, ${duplicated} duplicated, ${wrong} wrong`,
  ].join('\n')
}

function limitOf({ growth }: Report): number {
  return growth[0]?.limitPercent ?? 0
}
