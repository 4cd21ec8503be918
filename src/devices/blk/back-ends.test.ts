import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { after, describe } from 'node:test'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { backEndContract, suiteBytes, type Opened } from './back-end.contract.js'
import { openLayer, type Layer } from './layers.js'

checkForLeaks()

const folder = mkdtempSync(join(tmpdir(), 'blk-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0
function emptyFile(): string {
  const file = join(folder, `image-${files++}`)
  writeFileSync(file, '')
  truncateSync(file, suiteBytes)
  return file
}

function twice(layer: Layer): Opened {
  const one = openLayer(layer, { readOnly: false, isControl: false })
  const other = openLayer(layer, { readOnly: false, isControl: false })
  return {
    one,
    other,
    close: () => {
      one.close()
      other.close()
    },
  }
}

describe('a disk in a file, through the page cache', () =>
  backEndContract(() => twice({ kind: 'file', file: emptyFile(), direct: false })))

describe('a disk in memory', () =>
  backEndContract(() => twice({ kind: 'memory', bytes: new SharedArrayBuffer(suiteBytes) })))
