/**
 * Real cgroups, made for one test.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { TestContext } from 'node:test'
import { until } from './child.js'

let made = 0

/** A group of processes. */
export class Cgroup {
  readonly #folder: string

  /** As the system shows it. */
  get name(): string {
    return basename(this.#folder)
  }

  private constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Makes a group, gone when the test ends.
   *
   * @param controller - one of version 1, or null for version 2
   * @param file - what must be in it
   * @returns what is missing, where it cannot be made
   */
  static make(t: TestContext, controller: string | null, file: string): Cgroup | string {
    const kind = controller === null ? 'version 2' : `version 1, ${controller}`
    const mount = mountOf(controller)
    if (mount === null) return `no cgroup hierarchy (${kind}) is mounted`
    const folder = join(mount, `userworker-chaos-${process.pid}-${++made}`)
    try {
      mkdirSync(folder)
    } catch (error) {
      return `no cgroup (${kind}) can be made here: ${(error as Error).message}`
    }
    t.after(async () => {
      // A test that has failed leaves its process here, and version 1 kills none that is frozen.
      const members = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n')
      spawnSync('kill', ['-KILL', ...members.filter(Boolean)])
      const state = join(folder, 'freezer.state')
      if (existsSync(state)) writeFileSync(state, 'THAWED')
      // Processes that are ending hold it a moment longer than its list shows them.
      await until('the cgroup is gone', () => {
        try {
          rmdirSync(folder)
        } catch {
          return false
        }
        return true
      })
    })
    if (!existsSync(join(folder, file))) return `cgroups (${kind}) have no ${file} here`
    return new Cgroup(folder)
  }

  add(pid: number): void {
    this.set('cgroup.procs', String(pid))
  }

  set(file: string, value: string): void {
    writeFileSync(join(this.#folder, file), value)
  }

  get(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8')
  }
}

function mountOf(controller: string | null): string | null {
  const type = controller === null ? ['cgroup2'] : ['cgroup', '--options', controller]
  const args = ['--noheadings', '--raw', '--output', 'TARGET', '--types', ...type]
  return spawnSync('findmnt', args, { encoding: 'utf8' }).stdout?.split('\n')[0] || null
}
