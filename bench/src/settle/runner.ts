/**
 * Runs trials, each in a process of its own.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Row } from './row.js'
import type { Outcome, Plan } from './trial.js'

const script = fileURLToPath(new URL('trial.js', import.meta.url))

/** What the watchdog of a trial cannot end: a process that hangs as a whole. */
const graceMs = 20_000

export interface RunOptions {
  readonly isolation: string
  readonly hangMs: number
}

let strangers = 0

/** A user that no other process runs as: the system counts all the threads of a user. */
function stranger(): { uid: number; gid: number } {
  const id = 50_000 + (process.pid % 5000) * 2 + (strangers++ % 2)
  return { uid: id, gid: id }
}

/** Tries a row with a pool. */
export async function tried(row: Row, pool: string, options: RunOptions): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'userworker-settle-'))
  const plan: Plan = { row: row.title, pool, mark: join(folder, 'mark'), ...options }
  try {
    return await inChild(plan, row.asStranger === true && process.getuid?.() === 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function inChild(plan: Plan, asStranger: boolean): Promise<Outcome> {
  const timeout = 3 * plan.hangMs + graceMs
  const options = { timeout, killSignal: 'SIGKILL' as const, ...(asStranger ? stranger() : {}) }
  const begun = performance.now()
  return new Promise((resolve) => {
    execFile(process.execPath, [script, JSON.stringify(plan)], options, (error, out, err) => {
      const last = out.trimEnd().split('\n').at(-1) ?? ''
      if (last.startsWith('{')) return resolve(JSON.parse(last) as Outcome)
      const how = error?.signal ?? `exit code ${error?.code ?? 0}`
      const why = /^\w*Error\b.*$/m.exec(err)?.[0] ?? ''
      const ms = Math.round(performance.now() - begun)
      resolve({ seen: `the process ends: ${how} ${why}`.trimEnd(), ms, next: 'no process' })
    })
  })
}
