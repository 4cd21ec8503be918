import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { root } from './root.js'
import { checkCycles, checkDoors, checkLayers } from './tidy/layers.js'
import { checkLeakChecks } from './tidy/leaks.js'
import { checkLinks } from './tidy/links.js'
import { checkLockFile } from './tidy/lock-file.js'
import { checkMachinePaths } from './tidy/machine-paths.js'
import { checkArchitecture, checkNames } from './tidy/names.js'
import { checkLibraryGraph, checkPackages } from './tidy/packages.js'
import { checkFileLengths, checkFunctionLengths, checkLineLengths } from './tidy/sizes.js'
import { checkSoleUsers } from './tidy/sole-users.js'
import { checkThreadSides } from './tidy/thread-sides.js'
import { checkTopLevelAwait } from './tidy/top-level-await.js'
import { readTree, shown, type Check } from './tidy/tree.js'

/** Each convention of the project. That a check can fail is tested beside it, on made-up trees. */
const conventions: Readonly<Record<string, Check>> = {
  'imports go down the layers': checkLayers,
  'a folder is entered through its door': checkDoors,
  'no file imports itself by a detour': checkCycles,
  'no thread loads what only its owner needs': checkThreadSides,
  'memory, time, chance, threads and the system have one door each': checkSoleUsers,
  'the library imports nothing but itself and Node': checkLibraryGraph,
  'packages are imported by the command line only': checkPackages,
  'no module of the library awaits while it loads': checkTopLevelAwait,
  'no file has more than 400 lines': checkFileLengths,
  'no line has more than 120 columns': checkLineLengths,
  'no function has more than 70 lines': checkFunctionLengths,
  'names of files and folders say what is in them': checkNames,
  'ARCHITECTURE.md names every folder': checkArchitecture,
  'every link of a document leads somewhere': checkLinks,
  'every suite of the sources checks that it leaves nothing behind': checkLeakChecks,
  'the lock file names no registry': checkLockFile,
  "no file names a path of one developer's machine": (tree) => checkMachinePaths(tree, root),
}

describe('in this project', () => {
  const tree = readTree(root)
  for (const [promise, check] of Object.entries(conventions)) {
    test(promise, async () => {
      const violations = (await check(tree)).map(shown)
      if (violations.length > 0) assert.fail(`\n${violations.join('\n')}\n`)
    })
  }

  test('the checks see the whole project', () => {
    for (const path of ['src/os/memory.ts', 'tests/tidy.test.ts', 'package-lock.json'])
      assert.ok(tree.has(path), path)
    const outputs = [...tree.keys()].filter((path) =>
      /^(dist|build|node_modules|\.git)\//.test(path),
    )
    assert.deepEqual(outputs, [])
  })
})
