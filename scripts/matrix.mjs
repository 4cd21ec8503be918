// `npm run matrix`: the main job and all tests on every Node we support.
import { delimiter } from 'node:path'
import { status } from './bootstrap.mjs'
import { binOf, exactVersion, isVersion } from './node-versions.mjs'

const versions = ['20', '22', '24', '26']

export function matrix(args) {
  const chosen = args.length === 0 ? versions : args
  const wrong = chosen.find((version) => !isVersion(version))
  if (wrong !== undefined) {
    console.error(`npm run matrix: '${wrong}' is not a version of Node, such as 24 or 24.21.0`)
    return 2
  }
  const rows = []
  for (const version of chosen) {
    const env = { PATH: `${binOf(version)}${delimiter}${process.env.PATH}` }
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
