/**
 * Trees of files that stand for a system's /proc and /sys in tests.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'

/**
 * Makes a tree that is gone when the test ends.
 *
 * @param files - path to content; `{ link }` makes a symbolic link
 * @returns the folder it begins in
 */
export function plantTree(
  test: TestContext,
  files: Record<string, string | { link: string }>,
): string {
  const root = mkdtempSync(join(tmpdir(), 'userworker-tree-'))
  test.after(() => rmSync(root, { recursive: true }))
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    if (typeof content === 'string') writeFileSync(file, content)
    else symlinkSync(content.link, file)
  }
  return root
}
