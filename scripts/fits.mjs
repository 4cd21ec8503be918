// What tests/fits.test.ts needs beside the project: a folder with the tools of its settings, installed when their lock
// file changed, and a Node new enough to strip types.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { hash, once, root, run } from './bootstrap.mjs'
import { binOf } from './node-versions.mjs'

const home = '.cache/fits'
const lists = ['package.json', 'package-lock.json']

/** @returns what the test is to find in its environment */
export function bringFitsUpToDate() {
  const sources = lists.map((list) => `tests/fits/${list}`)
  once(`${home}/.userworker-installed`, hash(sources), () => {
    rmSync(join(root, home), { recursive: true, force: true })
    mkdirSync(join(root, home), { recursive: true })
    for (const list of lists) copyFileSync(join(root, 'tests/fits', list), join(root, home, list))
    // Nothing of theirs runs before a test runs it.
    const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    run('npm', ['ci', ...quietly, '--prefix', home])
  })
  const major = Number.parseInt(process.versions.node, 10)
  const newer = major >= 24 ? process.execPath : join(binOf('24'), 'node')
  return { USERWORKER_FITS: join(root, home), USERWORKER_FITS_NODE: newer }
}
