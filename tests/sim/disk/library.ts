/**
 * The library's own code, packed so that each simulated process and thread gets an instance of it, with
 * the doors to the system, to threads, clocks and shared words replaced by simulated ones.
 *
 * @module
 */
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { Script } from 'node:vm'
import { build as pack, type Plugin } from 'esbuild'
import { root } from '../../root.js'
import { changing, type Change } from '../mutant.js'
import { built } from '../built.js'

/** The files of `src/os/` that are doors; all else there is real. */
const doors = [
  'alarm',
  'builtin',
  'clock',
  'events',
  'file-io',
  'koffi',
  'mapping',
  'proc',
  'sockets',
  'thread',
  'uring',
] as const

/** What stands in the places of doors, by their names; `memory` and `worker` are the other two. */
export type Doors = Readonly<
  Record<(typeof doors)[number] | 'memory' | 'worker' | 'process', object>
>

/** What an instance exports. */
export interface Library {
  readonly Server: (typeof import('../../../src/vhost/server.js'))['Server']
  readonly VhostDevice: (typeof import('../../../src/vhost/vhost-device.js'))['VhostDevice']
  readonly serveVrings: (typeof import('../../../src/vhost/worker/inside.js'))['serveVrings']
  readonly makeDisk: (typeof import('../../../src/devices/blk/device.js'))['default']
  readonly diskWords: (typeof import('../../../src/devices/blk/disk-words.js'))['diskWords']
  readonly setCapacity: (typeof import('../../../src/devices/blk/disk-words.js'))['setCapacity']
  readonly faultWords: (typeof import('../../../src/devices/blk/faults.js'))['faultWords']
  readonly overlayLocks: (typeof import('../../../src/devices/blk/overlay.js'))['overlayLocks']
  readonly Journal: (typeof import('../../../src/devices/blk/journal.js'))['Journal']
  readonly openLayer: (typeof import('../../../src/devices/blk/layers.js'))['openLayer']
}

const entry = `
export { Server } from './vhost/server.js'
export { VhostDevice } from './vhost/vhost-device.js'
export { serveVrings } from './vhost/worker/inside.js'
export { default as makeDisk } from './devices/blk/device.js'
export { diskWords, setCapacity } from './devices/blk/disk-words.js'
export { faultWords } from './devices/blk/faults.js'
export { overlayLocks } from './devices/blk/overlay.js'
export { Journal } from './devices/blk/journal.js'
export { openLayer } from './devices/blk/layers.js'
`

const source = join(root, 'src')

/** The door that an import means; null where it means none. */
function doorOf(path: string, from: string): string | null {
  if (path === '#memory') return 'memory'
  if (!path.startsWith('.')) return null
  const file = relative(source, join(from, path)).replace(/\.js$/, '')
  if (file === 'worker/index' || file === 'worker/thread-side') return 'worker'
  const name = /^os\/(.*)$/.exec(file)?.[1]
  return doors.find((door) => door === name) ?? null
}

const simulated: Plugin = {
  name: 'doors',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path, importer, resolveDir }) => {
      const door = doorOf(path, importer === '' ? resolveDir : dirname(importer))
      return door === null ? null : { path: door, namespace: 'door' }
    })
    build.onLoad({ filter: /./, namespace: 'door' }, async ({ path }) => {
      const real = await built<object>(path === 'worker' ? 'worker/index.js' : `os/${path}.js`)
      const lines = Object.keys(real).map((name) => `export const ${name} = door.${name}`)
      return { contents: [`const door = doors[${JSON.stringify(path)}]`, ...lines].join('\n') }
    })
  },
}

/** Makes an instance over these doors. */
export type Instantiate = (over: Doors) => Library

type Run = (
  module: { exports: unknown },
  require: NodeJS.Require,
  doors: Doors,
  process: object,
) => void

/** @param change - what is broken in the library */
export async function packed(change: Change | null = null): Promise<Instantiate> {
  const { outputFiles } = await pack({
    stdin: { contents: entry, resolveDir: source, loader: 'ts', sourcefile: 'entry.ts' },
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    define: { 'import.meta.url': '"file:///simulated/library.js"' },
    plugins: [simulated, changing(change)],
    logLevel: 'silent',
  })
  const text = outputFiles[0]?.text ?? ''
  const script = new Script(`(function (module, require, doors, process) {${text}\n})`)
  const run = script.runInThisContext() as Run
  const require = createRequire(import.meta.url)
  return (over) => {
    const module = { exports: {} }
    run(module, require, over, over.process)
    return module.exports as Library
  }
}
