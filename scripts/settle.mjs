// `npm run settle`: installs the other pools if they are to be tried, and tries all of them.
import { parseArgs } from 'node:util'
import { bringBenchUpToDate, run, status } from './bootstrap.mjs'

const options = { only: { type: 'string', multiple: true }, write: { type: 'boolean' } }

export function settle(args) {
  const { only = [], write = false } = parseArgs({ args, options, strict: false }).values
  if (only.length === 0 || only.some((name) => name !== 'ours')) bringBenchUpToDate()
  const code = status(process.execPath, ['bench/build/settle/main.js', ...args])
  if (write) run('npx', ['oxfmt', 'docs/reference/settle.md'])
  return code
}
