/**
 * The lock file says what is installed, not from where: that is each developer's own affair.
 *
 * @module
 */
import type { Tree, Violation } from './tree.js'

/** Where a lock file may hold an address: a page for people about a package. */
const forPeople = new Set(['funding', 'deprecated', 'license'])

/** No lock file names a registry, and no .npmrc of the project chooses one. */
export function checkLockFile(tree: Tree): Violation[] {
  const violations: Violation[] = []
  for (const [file, text] of tree) {
    const name = file.slice(file.lastIndexOf('/') + 1)
    const found = (what: string, message: string): void => {
      const line = text.split('\n').findIndex((each) => each.includes(what)) + 1
      violations.push({ file, line: Math.max(line, 1), message })
    }
    if (name === '.npmrc' && /^\s*(\S+:)?registry\s*=/m.test(text))
      found('registry', 'names a registry: leave that to each developer')
    if (name !== 'package-lock.json' && name !== 'npm-shrinkwrap.json') continue
    for (const [key, value] of stringsIn(JSON.parse(text))) {
      const remedy = 'run npm with omit-lockfile-registry-resolved=true'
      if (key === 'resolved') found(JSON.stringify(value), `'resolved' names a registry: ${remedy}`)
      else if (/:\/\/|^[\w.-]+\.[a-z]+\/|\bregistry\./.test(value))
        found(JSON.stringify(value), `'${key}' names a host: ${remedy}`)
    }
  }
  return violations
}

/** All strings of a value with their keys, but for those for people. */
function stringsIn(value: unknown, key = ''): [string, string][] {
  if (typeof value === 'string') return [[key, value]]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    forPeople.has(name) ? [] : stringsIn(inner, Array.isArray(value) ? key : name),
  )
}
