/**
 * Rounds of child processes: in each round every measure is taken with every side, each in a fresh
 * process, and in the opposite order of the round before; so that a machine that gets slower or
 * faster does so for all. The rounds of a measure lie minutes apart, so that not all of them are
 * disturbed.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Recorded } from './figures.js'
import { defaultDeadlineMs, type Case, type Figures, type Measure } from './measure.js'
import { sides, type Limit, type Side } from './sides.js'

/** How to measure. */
export interface Plan {
  readonly measures: readonly Measure[]
  readonly rounds: number
  readonly quick: boolean
  /** The Node to run: its program. */
  readonly node: string
  /** Hears what is done next. */
  readonly progress: (text: string) => void
  /** Hears what there is at the end of each round, so that rounds cut short are not lost. */
  readonly roundEnded: (outcomes: readonly Outcome[]) => void
}

/** What a measure gave. */
export interface Outcome {
  readonly measure: Measure
  recorded(of: Case): Recorded
  /** Why a side gave nothing, by side. */
  readonly notes: Record<string, string>
}

/** What a sample gave: its figures, or why there are none. */
type Sample = { readonly figures: Figures } | { readonly note: string; readonly late: boolean }

const script = fileURLToPath(new URL('sample.js', import.meta.url))

export async function runRounds(plan: Plan): Promise<void> {
  const records = plan.measures.map((measure) => new MeasureRecord(measure))
  for (let round = 0; round < plan.rounds; round++) {
    for (const record of records) {
      if (round >= (record.measure.mostRounds ?? Number.POSITIVE_INFINITY)) continue
      const order = round % 2 === 0 ? record.sides : record.sides.toReversed()
      for (const side of order) {
        const of = `round ${round + 1} of ${plan.rounds}`
        plan.progress(`${of}: ${record.measure.name}: ${side.name}`)
        record.add(side, round, await sampleOf(plan, record.measure, side, record.isHopeless(side)))
      }
    }
    plan.roundEnded(records)
  }
}

/** The samples of one measure. */
class MeasureRecord implements Outcome {
  readonly measure: Measure
  readonly sides: readonly Side[]
  readonly notes: Record<string, string> = {}
  readonly #figures = new Map<string, (Figures | null)[]>()
  readonly #hopeless = new Set<string>()

  constructor(measure: Measure) {
    this.measure = measure
    const isLimit = (of: string): of is Limit => of === 'postMessage' || of === 'spin'
    this.sides = sides.filter(({ of }) => {
      if (measure.onlyOurs === true) return of === 'ours'
      return !isLimit(of) || measure.limits.includes(of)
    })
  }

  /** A side that was late once is not waited for again. */
  isHopeless({ name }: Side): boolean {
    return this.#hopeless.has(name)
  }

  add({ name }: Side, round: number, sample: Sample): void {
    const figures = this.#figures.get(name) ?? []
    this.#figures.set(name, figures)
    figures[round] = 'figures' in sample ? sample.figures : null
    if ('figures' in sample) return
    this.notes[name] = sample.note
    if (sample.late) this.#hopeless.add(name)
  }

  recorded({ figure }: Case): Recorded {
    return new Map(
      [...this.#figures].map(([side, byRound]) => [
        side,
        byRound.map((figures) => figures?.[figure] ?? null),
      ]),
    )
  }
}

async function sampleOf(
  plan: Plan,
  measure: Measure,
  side: Side,
  isHopeless: boolean,
): Promise<Sample> {
  const { full, quick } = measure.deadlineMs ?? defaultDeadlineMs
  const deadlineMs = plan.quick ? quick : full
  const late = { note: `no result within ${deadlineMs / 1000} s`, late: true }
  if (isHopeless) return late
  const pace = plan.quick ? 'quick' : 'full'
  const take = (workers: number): Promise<Sample> => {
    const args = [script, measure.name, side.name, String(workers), pace]
    const [program, ...rest] = measure.onOneCpu
      ? ['taskset', '-c', '0', plan.node, ...args]
      : [plan.node, ...args]
    return inChild(program, rest, deadlineMs, late)
  }
  const sample = await take(measure.workers)
  if (measure.baseWorkers === undefined || !('figures' in sample)) return sample
  const base = await take(measure.baseWorkers)
  if (!('figures' in base)) return base
  return { figures: perWorker(sample.figures, base.figures, measure.workers - measure.baseWorkers) }
}

/** What each of so many workers more adds. */
export function perWorker(figures: Figures, base: Figures, more: number): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, (value - (base[name] ?? 0)) / more]),
  )
}

function inChild(
  program: string,
  args: readonly string[],
  deadlineMs: number,
  late: Sample,
): Promise<Sample> {
  return new Promise((resolve) => {
    const options = { timeout: deadlineMs, killSignal: 'SIGKILL' } as const
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ figures: JSON.parse(stdout) as Figures })
      else if (error.killed) resolve(late)
      else resolve({ note: noteOf(stderr) ?? error.message, late: false })
    })
  })
}

/** What a process said that failed: the error's own line where Node shows more around it. */
export function noteOf(stderr: string): string | null {
  const lines = stderr.trim().split('\n')
  return (lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1)) || null
}
