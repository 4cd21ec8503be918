/**
 * What works carry, on its way through a worker's thread to the child process that restores it: there
 * is a carrier for each name here, which keeps what arrived for the call that is made inside of it.
 *
 * @module
 */
import type { Registered } from '../../carry/index.js'

const nothing: readonly unknown[] = []

/** Names and values in turns, of the call that is being made. */
let here = nothing

const byName = new Map<string, Registered>()

/** What a call is to take along: names and values in turns. */
export function passedOn(): readonly unknown[] {
  return here
}

/** The carrier of that name. A call to the child is made at once, so a variable will do. */
export function passerOf(name: string): Registered {
  let passer = byName.get(name)
  if (passer === undefined) {
    passer = makePasser(name)
    byName.set(name, passer)
  }
  return passer
}

function makePasser(name: string): Registered {
  return {
    name,
    immutable: false,
    isStore: false,
    look: () => undefined,
    pack: (found) => found,
    unpack: (sent) => sent,
    run: (sent, fn) => {
      const before = here
      here = [...before, name, sent]
      try {
        return fn()
      } finally {
        here = before
      }
    },
  }
}
