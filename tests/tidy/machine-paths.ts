/**
 * Paths that exist on one developer's machine only.
 *
 * @module
 */
import type { Tree, Violation } from './tree.js'

/** Folders of people: of Linux, macOS and Windows. */
const ofPeople =
  /(?<![\w.~%-])\/(?:home|Users)\/[\w.-]+|(?<![\w.~%/-])\/root\/[\w.-]+|\b[A-Za-z]:[\\/]+Users[\\/]+\w+/

/** No file names a folder of somebody's machine, nor the one the project happens to lie in. */
export function checkMachinePaths(tree: Tree, root: string): Violation[] {
  const violations: Violation[] = []
  for (const [file, text] of tree) {
    for (const [index, line] of text.split('\n').entries()) {
      const found = ofPeople.exec(line)?.[0] ?? (names(line, root) ? root : null)
      if (found === null) continue
      const message = `${found} is a path of one machine: make it from import.meta.url, or leave it out`
      violations.push({ file, line: index + 1, message })
    }
  }
  return violations
}

/** Whether a line names a folder, and not only one whose name begins the same. A name of one part may mean anything. */
function names(line: string, folder: string): boolean {
  if (folder.split(/[\\/]/).filter(Boolean).length < 2) return false
  for (let at = line.indexOf(folder); at >= 0; at = line.indexOf(folder, at + 1)) {
    const [before = '', behind = ''] = [line[at - 1], line[at + folder.length]]
    if (!/[\w.-]/.test(before) && !/[\w-]/.test(behind)) return true
  }
  return false
}
