// `npm run bench`: installs what a bench needs beyond the library, and runs it.
import { join } from 'node:path'
import { bringBenchUpToDate, status } from './bootstrap.mjs'
import { binOf, isVersion } from './node-versions.mjs'

const withPackages = new Set(['dispatch', 'chart'])

export function bench(args) {
  if (withPackages.has(args[0])) bringBenchUpToDate()
  return status(process.execPath, ['bench/build/main.js', ...withPrograms(args)])
}

/** `--node 24` becomes `--node` and the program of that version, which may be fetched first. */
function withPrograms(args) {
  return args
    .flatMap((arg) => (arg.startsWith('--node=') ? arg.split('=', 2) : [arg]))
    .map((arg, place, all) =>
      all[place - 1] === '--node' && isVersion(arg) ? programOf(arg) : arg,
    )
}

function programOf(version) {
  const isThis = `${process.versions.node}.`.startsWith(`${version}.`)
  return isThis ? process.execPath : join(binOf(version), 'node')
}
