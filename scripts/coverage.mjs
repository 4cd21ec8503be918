// `npm run coverage`: the tests, and what of the library they did not reach.
//
// Node writes what each process and thread ran into a folder, some gigabytes in all: so another process merges and
// deletes the files as they come.
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forgetBuild, root, run } from './bootstrap.mjs'

/** @param test runs the tests whose names contain the words given */
export async function coverage(words, test) {
  const folder = mkdtempSync(join(tmpdir(), 'userworker-coverage-'))
  // Some tests run programs as another user.
  chmodSync(folder, 0o1777)
  // The single files take the place of the packed ones, which is to be undone by the next command.
  forgetBuild()
  run(process.execPath, ['scripts/pack.mjs'], { USERWORKER_PACK: 'doors' })
  const report = spawn(process.execPath, ['build/tests/coverage/main.js', folder, ...words], {
    cwd: root,
    stdio: 'inherit',
  })
  const reported = new Promise((resolve) => report.once('exit', (code) => resolve(code ?? 1)))
  process.env.NODE_V8_COVERAGE = folder
  try {
    const tested = test(words)
    if (tested !== 0)
      console.error('npm run coverage: tests failed, so this is less than they reach')
    writeFileSync(join(folder, 'done'), '')
    return (await reported) || tested
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
