/**
 * The view on a terminal: a bar, and below it a table of the workers, drawn anew ten times a
 * second.
 *
 * @module
 */
import cliProgress from 'cli-progress'
import { cpuTime, printable, tableLines, type Column } from '../terminal/index.js'
import type { BusyWorker } from './threads.js'
import type { Entry } from './tree.js'
import { Progress, type Phase, type View } from './view.js'

const drawingsPerSecond = 10

/** A terminal that does not know its size, or does not say, is taken for one of this size. */
const usual = { columns: 80, rows: 24 }

/** The bar, and the line the cursor is left on. */
const otherRows = 2

/** Percentage, number of files, and spaces around the bar. */
const figuresWidth = 32

export class Screen implements View {
  #bars: cliProgress.MultiBar | null = null
  #lines: cliProgress.SingleBar[] = []
  #progress: Progress | null = null

  say(...lines: string[]): void {
    for (const line of lines) process.stdout.write(`${line}\n`)
  }

  begin(phase: Phase): void {
    const progress = new Progress(phase)
    const { title, workers } = phase
    const barsize = Math.min(40, Math.max(5, columns() - title.length - figuresWidth))
    const bars = new cliProgress.MultiBar({
      stream: process.stdout,
      fps: drawingsPerSecond,
      hideCursor: true,
      linewrap: false,
      clearOnComplete: true,
      barsize,
      format: '{title} [{bar}] {percentage}% {files}',
    })
    this.#bars = bars
    this.#progress = progress
    const bar = bars.create(1, 0, { title, files: '' })
    const draw = (): void => {
      bar.update(progress.part, { files: `${progress.done}/${progress.total} files` })
      if (workers !== undefined) this.#drawTable(bars, tableOf(workers()))
    }
    draw()
    bars.on('update-pre', draw)
  }

  advance(entry: Entry): void {
    this.#progress?.advance(entry)
  }

  end(): void {
    this.#bars?.stop()
    this.#bars = null
    this.#lines = []
    this.#progress = null
  }

  /**
   * A line of the table is a bar without a bar. There are never fewer of them: those left over are
   * empty.
   */
  #drawTable(bars: cliProgress.MultiBar, lines: string[]): void {
    const room = rows() - otherRows
    const rest = lines.length - room + 1
    const all = rest <= 1 ? lines : [...lines.slice(0, -rest), `and ${rest} more`]
    for (const [index, line] of all.entries()) {
      const bar = this.#lines[index] ?? bars.create(1, 0, {}, { format: '{line}' })
      this.#lines[index] = bar
      bar.update({ line: cut(line, columns()) })
    }
    for (const bar of this.#lines.slice(all.length)) bar.update({ line: '' })
  }
}

/** Node gives no size for what is no terminal, and a terminal may give 0. */
function columns(): number {
  return process.stdout.columns || usual.columns
}

function rows(): number {
  return process.stdout.rows || usual.rows
}

const workerColumns: readonly Column[] = [
  { name: 'name', title: 'WORKER', alignment: 'left' },
  { name: 'tid', title: 'TID', alignment: 'right' },
  { name: 'state', title: 'STATE', alignment: 'left' },
  { name: 'cpu', title: 'CPU', alignment: 'right' },
  { name: 'work', title: 'WORK', alignment: 'left' },
]

function tableOf(workers: BusyWorker[]): string[] {
  const lines = workers.map(({ name, osThreadId, state, work, cpuMs, subject }) => ({
    name: printable(name),
    tid: osThreadId ?? '-',
    state,
    cpu: cpuMs === null ? '-' : cpuTime(cpuMs),
    work: work === null ? '-' : `${work.name} ${subject}`,
  }))
  return tableLines(workerColumns, lines)
}

/** Pictures, and what East Asian scripts are written with. */
const wide =
  /[\p{Extended_Pictographic}\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}\uff01-\uff60]/u

/** How many columns a character takes on a terminal. */
const widthOf = (character: string): number => (wide.test(character) ? 2 : 1)

/** Cuts a line to a width in columns, visibly. */
function cut(line: string, width: number): string {
  let used = 0
  let end = 0
  let fits = 0
  for (const character of line) {
    used += widthOf(character)
    if (used > width) return `${line.slice(0, fits)}…`
    end += character.length
    if (used < width) fits = end
  }
  return line
}
