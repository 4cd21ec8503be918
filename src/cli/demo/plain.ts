/**
 * The run on the main thread, one file after the other, without the library.
 *
 * @module
 */
import { nextTurn, now } from '../../os/clock.js'
import type { Parcel } from './parcel.js'
import { appendLines, pressFile } from './pressing.js'
import type { Round } from './round.js'

/** @returns how long it took, in milliseconds */
export async function runPlain(parcels: readonly Parcel[], round: Round): Promise<number> {
  const began = now()
  for (const { folder, files } of parcels) {
    let lines = ''
    for (const entry of files) {
      const { source, target } = round.orderFor(entry)
      lines += round.take(entry, await pressFile(source, target, round.signal))
      round.done(entry)
      await nextTurn()
      round.signal.throwIfAborted()
    }
    if (lines !== '') appendLines(round.manifestOf(folder), lines)
  }
  return now() - began
}
