/**
 * The child processes of a process, the dead ones included that nobody has waited for.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'

/** A process, as the system lists it. */
export interface Listed {
  readonly pid: number
  readonly state: string
  readonly parent: number
}

/** What the system says of a process; null: there is none. */
export function listed(pid: number): Listed | null {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return null
  }
  const [state = '', parent] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { pid, state, parent: Number(parent) }
}

export function childrenOf(parent: number = process.pid): Listed[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => listed(Number(name)))
    .filter((found): found is Listed => found?.parent === parent)
}

/** Whether a process is there and not dead. */
export function isAlive(pid: number): boolean {
  const state = listed(pid)?.state
  return state !== undefined && state !== 'Z' && state !== 'X'
}
