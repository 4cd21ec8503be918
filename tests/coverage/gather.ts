/**
 * What all processes and threads ran, in one: the files that Node writes are merged and deleted as
 * they come.
 *
 * @module
 */
import { mergeScriptCovs, type ScriptCov } from '@bcoe/v8-coverage'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** What was gathered: of each script what of it ran; and how much there was. */
export interface Gathered {
  readonly scripts: ReadonlyMap<string, ScriptCov>
  readonly reports: number
  readonly bytes: number
  /** Of processes and threads that were killed while they wrote. */
  readonly broken: number
}

/** Files merged at a time: the merged ones are merged anew each time. */
const batch = 64

/**
 * @param folder where Node writes; when it holds a file `done`, nothing more comes
 * @param wanted which scripts count, by their path
 */
export async function gather(folder: string, wanted: (path: string) => boolean): Promise<Gathered> {
  const scripts = new Map<string, ScriptCov>()
  let reports = 0
  let bytes = 0
  let waiting: ScriptCov[] = []
  const merge = (): void => {
    const byPath = new Map<string, ScriptCov[]>()
    for (const each of waiting) {
      const path = pathOf(each.url)
      const same = byPath.get(path) ?? [scripts.get(path)].filter((before) => before !== undefined)
      byPath.set(path, [...same, each])
    }
    for (const [path, found] of byPath) {
      const merged = mergeScriptCovs(found)
      if (merged !== undefined) scripts.set(path, merged)
    }
    waiting = []
  }
  for (;;) {
    const names = await readdir(folder)
    const isLast = names.includes('done')
    let broken = 0
    for (const name of names.filter((each) => each.startsWith('coverage-'))) {
      const file = join(folder, name)
      const found = await scriptsOf(file)
      if (found === null) {
        broken++
        continue
      }
      waiting.push(...found.filter(({ url }) => url.startsWith('file:') && wanted(pathOf(url))))
      bytes += (await stat(file)).size
      await rm(file)
      if (++reports % batch === 0) merge()
    }
    if (isLast) {
      merge()
      return { scripts, reports, bytes, broken }
    }
    await sleep(200)
  }
}

/** Null while the file is being written. */
async function scriptsOf(file: string): Promise<ScriptCov[] | null> {
  const text = await readFile(file, 'utf8')
  try {
    return (JSON.parse(text) as { result: ScriptCov[] }).result
  } catch {
    return null
  }
}

/** Without what follows a `?`: the same file loaded twice is the same file. */
function pathOf(url: string): string {
  return fileURLToPath(url.replace(/[?#].*$/, ''))
}
