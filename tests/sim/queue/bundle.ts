/**
 * The library as it is, packed into one script for each side: the program's, and its threads'. What is
 * not of the language reaches it by parameters, so that the doors in `src/os/` open on what is simulated.
 *
 * @module
 */
import { build } from 'esbuild'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { root } from '../../root.js'
import { changing, type Change } from '../mutant.js'

/** What a script makes of the parameters. */
export type Body = (
  simulated: object,
  process: object,
  require: object,
  atomics: object,
) => Record<string, never>

/** A side's script. */
export interface Sides {
  readonly program: Script
  readonly thread: Script
}

/** Packs both sides. @param change - what is broken in them */
export async function packSides(change: Change | null = null): Promise<Sides> {
  const [program, thread] = await Promise.all([pack('program', change), pack('thread', change)])
  return { program, thread }
}

async function pack(name: string, change: Change | null): Promise<Script> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [join('tests', 'sim', 'queue', 'inside', `${name}.ts`)],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    external: ['koffi'],
    alias: { '#memory': './src/os/memory.ts' },
    // `import()` is `require` here, which is a parameter.
    supported: { 'dynamic-import': false },
    // Members are set, so that whoever watches them sees it.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
    plugins: [changing(change)],
    logLevel: 'error',
  })
  const text = outputFiles[0]?.text ?? ''
  return new Script(`${opening}${text}${closing}`, { filename: `simulated-${name}.js` })
}

const opening = `((everything) => function (simulated, process, require, Atomics) {
const queueMicrotask = (run) => void Promise.resolve().then(run)
const FinalizationRegistry = class { register() {} unregister() {} }
// What code keeps there by name is this thread's alone.
const globalThis = Object.create(everything)
const module = { exports: {} }
const exports = module.exports
`
const closing = `
return module.exports
})(globalThis)`
