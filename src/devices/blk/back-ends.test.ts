import { closeSync, constants, openSync } from 'node:fs'
import { describe } from 'node:test'
import { Uring } from '../../os/uring.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { backEndContract, suiteBytes, type Opened } from './back-end.contract.js'
import { faultsOf } from './fault-rules.js'
import { faultWords } from './faults.js'
import type { Layer } from './layers.js'
import { overlayLocks } from './overlay.js'
import { folderForTests, openHere } from './thread.fixture.js'

checkForLeaks()

const { folder, image, name } = folderForTests()
const emptyFile = (): string => image(suiteBytes)

function twice(layer: Layer, isFirstControl = false): Opened {
  const one = openHere(layer, isFirstControl)
  const other = openHere(layer)
  return {
    one: one.backEnd,
    other: other.backEnd,
    wait: (by) => (by === one.backEnd ? one : other).wait(),
    close: () => {
      one.close()
      other.close()
    },
  }
}

/** Why there is no way past the page cache here; false where there is. */
function noDirect(): string | false {
  try {
    closeSync(openSync(emptyFile(), constants.O_RDWR | constants.O_DIRECT))
    new Uring(1).close()
    return false
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    return `${syscall} on ${folder}: ${code}`
  }
}

describe('a disk in a file, through the page cache', () =>
  backEndContract(() => twice({ kind: 'file', file: emptyFile(), direct: false })))

describe('a disk in a file, past the page cache', { skip: noDirect() }, () =>
  backEndContract(() => twice({ kind: 'file', file: emptyFile(), direct: true })),
)

describe('a disk in memory', () =>
  backEndContract(() => twice({ kind: 'memory', bytes: new SharedArrayBuffer(suiteBytes) })))

const overlay = (over: Layer): Layer => ({
  kind: 'overlay',
  over,
  file: name(),
  locks: overlayLocks(),
})

describe('an overlay over a file', () =>
  backEndContract(() => twice(overlay({ kind: 'file', file: emptyFile(), direct: false }), true)))

describe('an overlay over an overlay over memory', () =>
  backEndContract(() =>
    twice(overlay(overlay({ kind: 'memory', bytes: new SharedArrayBuffer(suiteBytes) })), true),
  ))

describe('an overlay over a file past the page cache', { skip: noDirect() }, () =>
  backEndContract(() => twice(overlay({ kind: 'file', file: emptyFile(), direct: true }), true)),
)

const faults = (text: string, over: Layer): Layer => {
  const { rules } = faultsOf(text)
  const journal = emptyFile()
  return { kind: 'faults', over, rules, seed: 1, words: faultWords(rules), journal }
}

describe('faults that do no harm, with a journal, over memory', () =>
  backEndContract(() => {
    const memory: Layer = { kind: 'memory', bytes: new SharedArrayBuffer(suiteBytes) }
    return twice(faults('delay:any:ms=0;error:any:p=0', memory))
  }))

describe('delays over an overlay over a file', () =>
  backEndContract(() =>
    twice(
      faults('delay:any:ms=0.1,nth=3', overlay({ kind: 'file', file: emptyFile(), direct: false })),
      true,
    ),
  ))
