// A reporter for Node's test runner: what `spec` shows, with places of the sources instead of places of what was built
// from them. Node's own --enable-source-maps would do the same, and read every map anew in each of the thousands of
// threads that the tests make: a sixth of their time.
import { existsSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { dirname, relative, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

export default async function* report(events) {
  for await (const shown of Readable.from(events).pipe(new spec())) yield inSources(String(shown))
}

/** @returns the text with each place of a built file as the place in its source */
function inSources(text) {
  return text.replaceAll(
    /((?:file:\/\/)?[^\s()[\]'"]+\.js):(\d+):(\d+)/g,
    (place, file, line, column) => {
      const path = file.startsWith('file:') ? fileURLToPath(file) : resolve(file)
      const entry = mapOf(path)?.findEntry(line - 1, column - 1)
      if (entry?.originalSource === undefined) return place
      const source = relative('', resolve(dirname(path), entry.originalSource))
      return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
    },
  )
}

const maps = new Map()

function mapOf(path) {
  if (!maps.has(path)) {
    const file = `${path}.map`
    maps.set(
      path,
      existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : undefined,
    )
  }
  return maps.get(path)
}
