// Puts the library into a few files (`dist/packed/`), which is what users import.
//
// Node takes about 0.7 ms for each module of a graph, in every thread anew: as some hundred files the library
// cost 40 ms at its import, and each worker 25 ms at its birth. Types, tests and the model checker stay with
// the single files beside it.
import { build } from 'esbuild'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bootstrap.mjs'

const outdir = join(root, 'dist', 'packed')
rmSync(outdir, { recursive: true, force: true })
const options = {
  absWorkingDir: root,
  outdir,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: ['koffi'],
  // The double of shared memory is for tests, which run the single files.
  alias: { '#memory': './src/os/memory.ts' },
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
}
// What two of these share is in a file of its own, so that there is one of everything in a thread.
const doors = {
  index: 'src/index.ts',
  current: 'src/wq/current.ts',
  self: 'src/worker/inside.ts',
  vhost: 'src/vhost.ts',
  testing: 'src/testing/index.ts',
}
// What the threads of vhost workers load: `vhost-worker.ts` finds them beside the file that it is in itself.
const threads = {
  'vring-die': 'src/vhost/worker/vring-die.ts',
  'vring-linger': 'src/vhost/worker/vring-linger.ts',
  // The disk's: `serve-disk.ts` finds it so.
  device: 'src/devices/blk/device.ts',
}
// Alone, a thread's beginning has nothing in it that threads do not need. Each thread keeps its text in memory:
// so it has no comments, and the names that stack traces show. So has that of a child process:
// `src/wq/process/spawn.ts` finds it beside the file that it is in itself.
const short = { minifyWhitespace: true, minifySyntax: true, legalComments: 'none' }
const alone = { entry: 'src/entry.ts', child: 'src/wq/process/child.ts' }

if (process.env.USERWORKER_PACK === 'doors') {
  // For `npm run coverage`: every file is a way to the single file of its name, so that each line of the library is
  // in one script only, whoever runs it.
  mkdirSync(outdir, { recursive: true })
  for (const [name, source] of Object.entries({ ...doors, ...threads, ...alone })) {
    const single = source.replace(/^src/, '..').replace(/ts$/, 'js')
    const hasDefault = /^export default /m.test(readFileSync(join(root, source), 'utf8'))
    const text = `export * from '${single}'\n${hasDefault ? `export { default } from '${single}'\n` : ''}`
    writeFileSync(join(outdir, `${name}.js`), text)
  }
} else {
  await build({ ...options, entryPoints: { ...doors, ...threads }, splitting: true })
  for (const [name, source] of Object.entries(alone))
    await build({ ...options, ...short, entryPoints: { [name]: source } })
}
