/**
 * What files and folders may be called, and that a reader finds each folder explained.
 *
 * @module
 */
import { foldersOf, type Tree, type Violation } from './tree.js'

/** Words that say nothing, and words that mean something else here, with what to write instead. */
const banned: readonly [RegExp, string][] = [
  [/^(utils?|helpers?|common|misc|shared|stuff)$/, 'name it after what is in it'],
  [/^managers?$/, 'name it after what it does'],
  [/^(tasks?|jobs?)$/, 'a unit of work is a work'],
]

/** No file or folder bears a name that says nothing. */
export function checkNames(tree: Tree): Violation[] {
  const violations: Violation[] = []
  for (const file of [...tree.keys(), ...foldersOf(tree)]) {
    const name = file.slice(file.lastIndexOf('/') + 1)
    if (/^types(\.[cm]?[jt]s)?$/.test(name)) {
      const message = 'types live beside the code that makes or takes them'
      violations.push({ file, line: 1, message: `'types': ${message}` })
    }
    for (const word of wordsOf(name)) {
      const [, instead] = banned.find(([pattern]) => pattern.test(word)) ?? []
      if (instead !== undefined)
        violations.push({ file, line: 1, message: `'${word}': ${instead}` })
    }
  }
  return violations
}

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
}

const page = 'ARCHITECTURE.md'

/** ARCHITECTURE.md names each folder at the top, and each below src/ and tests/, as `name/`. */
export function checkArchitecture(tree: Tree): Violation[] {
  const text = tree.get(page)
  if (text === undefined)
    return [{ file: page, line: 1, message: 'write it: one page that says what is where' }]
  return foldersOf(tree)
    .filter((folder) => !folder.includes('/') || /^(src|tests)\//.test(folder))
    .filter((folder) => !names(text, folder))
    .map((folder) => ({
      file: page,
      line: 1,
      message: `says nothing of ${folder}/: add what is in it`,
    }))
}

/** Whether a text names a folder: by its path, or, as in the drawing of a tree, by its last name alone. */
function names(text: string, folder: string): boolean {
  const name = folder.slice(folder.lastIndexOf('/') + 1).replace(/[.]/g, '\\.')
  const path = folder.replace(/[.]/g, '\\.')
  return new RegExp(`(^|[^\\w./-])(${path}|${name})/`, 'm').test(text)
}
