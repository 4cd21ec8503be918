/**
 * Real cgroups of tests.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { output } from './child.fixture.js'

/** Where a hierarchy is mounted, as another program than ours finds it. */
export function mountPoint(type: 'cgroup' | 'cgroup2', option?: string): string | null {
  const filter = option === undefined ? [] : ['--options', option]
  const args = ['--noheadings', '--raw', '--types', type, ...filter, '--output', 'TARGET']
  return spawnSync('findmnt', args, { encoding: 'utf8' }).stdout?.split('\n')[0] || null
}

/**
 * Makes a cgroup and one within, gone when the test ends; gives the reason if the system refuses.
 */
export function makeCgroups(
  t: TestContext,
  top: string,
  settings: Record<string, string>,
): string | Error {
  const outer = join(top, `userworker-test-${process.pid}`)
  const inner = join(outer, 'inner')
  t.after(() => {
    for (const folder of [inner, outer]) if (existsSync(folder)) rmdirSync(folder)
  })
  try {
    mkdirSync(inner, { recursive: true })
    for (const [file, value] of Object.entries(settings)) writeFileSync(join(outer, file), value)
    return inner
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
}

/** What a program printed that joined these cgroups before it began. */
export function outputWithin(cgroups: string[], command: string[]): string {
  const enter = 'for each in $0; do echo $$ > "$each/cgroup.procs" || exit; done; exec "$@"'
  return output('sh', ['-c', enter, cgroups.join(' '), ...command])
}
