/**
 * Every suite of the sources checks, at its end, that nothing is left behind.
 *
 * @module
 */
import type { Tree, Violation } from './tree.js'

/** Each test file in src calls `checkForLeaks()` on a line of its own. */
export function checkLeakChecks(tree: Tree): Violation[] {
  return [...tree]
    .filter(([file]) => file.startsWith('src/') && file.endsWith('.test.ts'))
    .filter(([, text]) => !/^checkForLeaks\(\)$/m.test(text))
    .map(([file]) => ({
      file,
      line: 1,
      message: 'checks for no leaks: call checkForLeaks() from src/worker/leaks.fixture.ts',
    }))
}
