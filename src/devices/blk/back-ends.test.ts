import {
  constants,
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { after, describe } from 'node:test'
import { close, event } from '../../os/events.js'
import { Uring } from '../../os/uring.js'
import type { Sleep } from '../../vhost/index.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import type { BackEnd } from './back-end.js'
import { backEndContract, suiteBytes, type Opened } from './back-end.contract.js'
import { overlayLocks } from './overlay.js'
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

/** A thread's end of a back end: how it sleeps, and what it does later. */
function threadFor() {
  const later: (() => void)[] = []
  let sleep: Sleep | null = null
  const never = event()
  return {
    host: {
      isControl: false,
      sleepBy: (own: Sleep) => {
        sleep = own
        return { close: () => {} }
      },
    },
    after: (_ms: number, run: () => void) => void later.push(run),
    wait: () => {
      for (const run of later.splice(0)) run()
      sleep?.(never, 5)
    },
    close: () => close(never),
  }
}

function twice(layer: Layer, isFirstControl = false): Opened {
  const threads = [threadFor(), threadFor()] as const
  const [one, other] = threads.map(({ host, after: later }, index) =>
    openLayer(layer, {
      readOnly: false,
      host: { ...host, isControl: isFirstControl && index === 0 },
      after: later,
    }),
  ) as [BackEnd, BackEnd]
  return {
    one,
    other,
    wait: (by) => threads[by === one ? 0 : 1].wait(),
    close: () => {
      for (const each of [one, other, ...threads]) each.close()
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
  file: join(folder, `overlay-${files++}`),
  locks: overlayLocks(),
})

describe('an overlay over a file', () =>
  backEndContract(() => twice(overlay({ kind: 'file', file: emptyFile(), direct: false }), true)))

describe('an overlay over an overlay over memory', () =>
  backEndContract(() =>
    twice(overlay(overlay({ kind: 'memory', bytes: new SharedArrayBuffer(suiteBytes) })), true),
  ))
