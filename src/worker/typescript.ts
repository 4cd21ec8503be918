/**
 * Modules written in TypeScript: which file is meant, who reads it, and what to do where nobody
 * does.
 *
 * | Node          | under tsx                                  | without tsx                          |
 * | ------------- | ------------------------------------------ | ------------------------------------ |
 * | 20            | threads have none of the owner's hooks, so | tsx, where it is installed, for a    |
 * |               | each registers tsx itself                  | module in TypeScript; else the error |
 * | 22.18, newer  | the owner's hooks serve its threads too    | Node strips the types                |
 *
 * @module
 */
import { join } from 'node:path'
import { builtin } from '../os/builtin.js'

const { existsSync } = builtin('node:fs')

/** Since this version a thread has the hooks that its owner registered (measured). */
const firstWithHooksInThreads = 22

/** How `tsx` is named in an option of Node: as a package, or as a file of it. */
const namesTsx = /(?:^|[\\/=])tsx(?:[\\/]|$)/

const endings: Readonly<Record<string, string>> = {
  '.js': '.ts',
  '.mjs': '.mts',
  '.cjs': '.cts',
  '.ts': '.js',
  '.mts': '.mjs',
  '.cts': '.cjs',
}

/**
 * The URL of the file that a URL means: itself; or, where there is no such file, the one in the
 * other language, as in a program that runs now from its sources and now compiled.
 */
export function presentUrl(url: string): string {
  const other = inOtherLanguage(url)
  return other !== null && !isThere(url) && isThere(other) ? other : url
}

/** Lets this thread read TypeScript where Node does not and tsx is there. */
export async function readTypeScript(url: string): Promise<void> {
  if (canStripTypes()) return
  const paths = pathsToTsx()
  const hasHooks = nodeMajor() >= firstWithHooksInThreads
  if (paths.length > 0 ? hasHooks : !isTypeScript(url)) return
  const bases = [...paths, ...(url.startsWith('file:') ? [url] : []), process.cwd()]
  for (const base of bases) if (await registerTsx(base)) return
}

/** What to do about a module that did not load, as a sentence; null where nothing is known. */
export function remedyFor(url: string, cause: unknown): string | null {
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown }
  const compile = 'compile it, or run with tsx (node --import tsx)'
  switch (code) {
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      if (!isTypeScript(url)) return null
      return `Node ${process.versions.node} reads no TypeScript: ${compile}, or use Node 22.18 or newer`
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return `Node only strips types, and this syntax is more than a type: ${compile}`
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return 'Node strips no types below node_modules: a package is published compiled'
    case 'ERR_MODULE_NOT_FOUND': {
      const missing = / '([^']+)' imported from /.exec(String(message))?.[1] ?? ''
      if (!isThere(url)) return `There is no such file${besides(url)}`
      const other = inOtherLanguage(missing)
      if (other === null || !isThere(other)) return null
      return `There is ${other}: name it so in the import, which Node takes as it stands, or ${compile}`
    }
    default:
      return null
  }
}

function besides(url: string): string {
  const other = inOtherLanguage(url)
  return other === null ? '' : `, nor one that ends in ${/\.\w+$/.exec(pathOf(other))?.[0] ?? ''}`
}

function canStripTypes(): boolean {
  // Newer than the oldest Node we run on, and its types.
  return Boolean((process.features as { typescript?: unknown }).typescript)
}

function nodeMajor(): number {
  return Number.parseInt(process.versions.node, 10)
}

/** Where the options of Node say that tsx lies; empty for a program that does not run under it. */
function pathsToTsx(): string[] {
  const options = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)]
  return options
    .filter((option) => namesTsx.test(option))
    .map((option) => option.replace(/^--?[\w-]+=/, ''))
    .map((named) => (/^(file:|[\\/]|\w:[\\/])/.test(named) ? named : process.cwd()))
}

/** @returns whether tsx was found from there, a file or a folder, and is at work now */
async function registerTsx(base: string): Promise<boolean> {
  try {
    const require = builtin('node:module').createRequire(
      base.startsWith('file:') ? base : join(base, 'any.js'),
    )
    // One for what `require` loads, also on behalf of `import`; the other for ES modules. Of that,
    // the CommonJS half does not find its own files (tsx 4.23).
    const [forRequire, forImport] = ['tsx/cjs/api', 'tsx/esm/api'].map((path) =>
      require.resolve(path).replace(/\.cjs$/, '.mjs'),
    )
    for (const path of [forRequire, forImport]) {
      const api = (await import(builtin('node:url').pathToFileURL(path ?? '').href)) as {
        register: () => unknown
      }
      api.register()
    }
    return true
  } catch {
    return false
  }
}

function isTypeScript(url: string): boolean {
  return /\.[cm]?tsx?$/.test(pathOf(url))
}

/** The same URL or path with the ending of the other language; null where it has neither's. */
function inOtherLanguage(url: string): string | null {
  const path = pathOf(url)
  const ending = /\.[cm]?[jt]s$/.exec(path)?.[0] ?? ''
  const other = endings[ending]
  if (other === undefined) return null
  return path.slice(0, -ending.length) + other + url.slice(path.length)
}

/** A URL without what follows its path. */
function pathOf(url: string): string {
  return url.startsWith('file:') ? url.replace(/[?#].*$/s, '') : url
}

/** Whether there is such a file. What cannot be looked for counts as there: Node will say more. */
function isThere(url: string): boolean {
  try {
    return existsSync(url.startsWith('file:') ? new URL(url) : url)
  } catch {
    return true
  }
}
