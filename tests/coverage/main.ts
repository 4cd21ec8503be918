/**
 * `npm run coverage`: gathers what the tests ran while they run, and says what of the library they
 * did not reach. Exit code 1 when something was not reached and the page on testing does not say
 * why.
 *
 * With words, only the tests of those names are run: then nothing is held against the page, but the
 * entries that these reach are named.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from '../root.js'
import { arguedIn, judge, page } from './argued.js'
import { coverageOf, type FileCoverage } from './branches.js'
import { gather } from './gather.js'

const folders = ['ring', 'worker', 'wq', 'wq/process', 'virtio', 'vhost', 'vhost/worker'] as const

const [folder = '', ...words] = process.argv.slice(2)
const scripts = folders.flatMap((each) =>
  readdirSync(join(root, 'dist', each))
    .filter((name) => /^[^.]+\.js$/.test(name))
    .map((name) => join(root, 'dist', each, name)),
)
const wanted = new Set(scripts)
const gathered = await gather(folder, (path) => wanted.has(path))
const files: FileCoverage[] = []
for (const script of scripts) {
  const coverage = await coverageOf(script, gathered.scripts.get(script))
  if (coverage !== null) files.push(coverage)
}
const { open, stale, reached } = judge(files, arguedIn(readFileSync(join(root, page), 'utf8')))
for (const { file, line, text, never } of open)
  console.log(`${file}:${line}: never ${never}: ${text}`)
for (const { file, text, never } of words.length === 0 ? stale : reached)
  console.log(`${page}: stale: ${file}: ${text}: is not 'never ${never}'`)
console.table(Object.fromEntries(folders.map((each) => [`src/${each}`, row(each)])))
const gigabytes = (gathered.bytes / 2 ** 30).toFixed(1)
console.log(
  `${gathered.reports} processes and threads reported, ${gigabytes} GiB; ${gathered.broken} were cut short`,
)
console.log(`${open.length} not reached and not argued`)
process.exitCode = words.length > 0 || open.length === 0 ? 0 : 1

function row(of: string): Record<string, string | number> {
  const own = files.filter(({ file }) => relative(`src/${of}`, file).split('/').length === 1)
  const share = (kind: 'lines' | 'branches'): string => {
    const all = own.reduce((sum, { [kind]: count }) => sum + count.all, 0)
    const ran = own.reduce((sum, { [kind]: count }) => sum + count.reached, 0)
    return `${ran} of ${all} (${((100 * ran) / Math.max(all, 1)).toFixed(1)} %)`
  }
  const places = own.reduce((sum, { unreached }) => sum + unreached.length, 0)
  return { lines: share('lines'), branches: share('branches'), 'not reached': places }
}
