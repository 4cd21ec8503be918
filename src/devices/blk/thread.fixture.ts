/**
 * A thread's end of a back end, for tests in one thread.
 *
 * @module
 */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { close, event } from '../../os/events.js'
import type { Sleep } from '../../vhost/index.js'
import type { BackEnd } from './back-end.js'
import { openLayer, type Layer } from './layers.js'

/** How a thread sleeps, and what it does later: at its next sleep, whatever the time. */
export function threadFor(isControl = false) {
  const later: (() => void)[] = []
  let sleep: Sleep | null = null
  const never = event()
  return {
    host: {
      isControl,
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

/** A back end in a thread of its own. */
export interface OpenHere {
  readonly backEnd: BackEnd
  wait(): void
  close(): void
}

export function openHere(layer: Layer, isControl = false): OpenHere {
  const thread = threadFor(isControl)
  try {
    const backEnd = openLayer(layer, { readOnly: false, host: thread.host, after: thread.after })
    return {
      backEnd,
      wait: () => thread.wait(),
      close: () => {
        backEnd.close()
        thread.close()
      },
    }
  } catch (error) {
    thread.close()
    throw error
  }
}

/** A folder for the tests of a file, gone afterwards. @returns gives names, and empty images, in it */
export function folderForTests() {
  const folder = mkdtempSync(join(tmpdir(), 'blk-'))
  after(() => rmSync(folder, { recursive: true }))
  let files = 0
  const name = (): string => join(folder, `file-${files++}`)
  return {
    folder,
    name,
    image: (bytes: number): string => {
      const file = name()
      writeFileSync(file, '')
      truncateSync(file, bytes)
      return file
    },
  }
}
