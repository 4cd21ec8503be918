/**
 * `npm run settle -- [--only <pool>]… [--row <word>]… [--isolation process] [--json] [--write]`
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { WorkQueue } from '../library.js'
import { pools } from './pools.js'
import { pageOf, isSettled, summaryOf, tableOf, type Line } from './report.js'
import type { Row } from './row.js'
import { rows } from './rows.js'
import { tried } from './runner.js'

const options = {
  only: { type: 'string', multiple: true },
  row: { type: 'string', multiple: true },
  isolation: { type: 'string', default: 'thread' },
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
} as const

const hangMs = 5000
/** So late after its deadline may a work of ours settle. */
const withinMs = 1000
const page = new URL('../../../docs/reference/settle.md', import.meta.url)
const packages = new URL('../../', import.meta.url)

async function main(): Promise<number> {
  const { values } = parseArgs({ options })
  const { isolation, only = Object.keys(pools), row: words = [] } = values
  const unknown = only.find((name) => pools[name] === undefined)
  if (unknown !== undefined) return refused(`no pool '${unknown}'. There is: ${poolNames}`)
  if (!hasIsolation(isolation)) return refused(`this build has no isolation '${isolation}'`)
  const chosen = rows.filter(
    ({ title }) => words.length === 0 || words.some((word) => title.includes(word)),
  )
  if (chosen.length === 0) return refused(`no row's title contains ${words.join(' or ')}`)
  const lines = await tryAll(chosen, only, isolation)
  const versions = Object.fromEntries(only.map((name) => [name, versionOf(name)]))
  const setting = { node: process.versions.node, isolation, versions }
  if (values.write) {
    const hasBoth = isolation === 'thread' && only.includes('ours')
    const isolated = hasBoth ? await tryAll(chosen, ['ours'], 'process') : []
    writeFileSync(page, pageOf(lines, setting, withinMs, isolated))
  }
  if (values.json) console.log(JSON.stringify({ ...setting, lines: lines.map(flat) }))
  else console.log(`${tableOf(lines, withinMs)}\n\n${summaryOf(lines, withinMs)}`)
  const own = lines.filter(({ pool }) => pool === 'ours')
  return own.every((line) => isSettled(line, withinMs)) ? 0 : 1
}

const poolNames = Object.keys(pools).join(', ')

/** Ours one after the other, whose times count; then the others, two at a time: most of it is waiting. */
async function tryAll(
  chosen: readonly Row[],
  names: readonly string[],
  isolation: string,
): Promise<Line[]> {
  const all = chosen.flatMap((row) => names.map((pool) => ({ row, pool })))
  const done = new Map<object, Line>()
  const take = async (left: Iterator<(typeof all)[number]>): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) {
      const { row, pool } = next.value
      if (process.stderr.isTTY) console.error(`${pool}: ${row.title}`)
      const outcome = await tried(row, pool, { isolation, hangMs })
      done.set(next.value, { row, pool, outcome })
    }
  }
  await take(all.filter(({ pool }) => pool === 'ours').values())
  const others = all.filter(({ pool }) => pool !== 'ours').values()
  await Promise.all([take(others), take(others)])
  return all.map((each) => done.get(each) as Line)
}

function hasIsolation(isolation: string): boolean {
  if (isolation === 'thread') return true
  try {
    return new WorkQueue(null, { isolation } as object) instanceof WorkQueue
  } catch {
    return false
  }
}

function versionOf(name: string): string {
  const place = name === 'ours' ? '../package.json' : `node_modules/${name}/package.json`
  const text = readFileSync(new URL(place, packages), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function flat({ row, pool, outcome }: Line): object {
  return { failure: row.title, pool, expected: row.expected, ...outcome }
}

function refused(why: string): number {
  console.error(`npm run settle: ${why}`)
  return 2
}

process.exitCode = await main()
