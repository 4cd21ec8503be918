/**
 * What unflushed writes have replaced, so that a crash can undo them.
 *
 * Each write first reads what it will replace, and notes it at the end of a file in memory. A flush that
 * is honoured moves the beginning on to where the end was when it began. A crash writes back all in
 * between, the last first.
 *
 * | word  | written by                       | meaning, in sectors of the journal, modulo 2^32 |
 * | ----- | -------------------------------- | ----------------------------------------------- |
 * | begin | flushes, by `replace`, forward   | what lies before is on the medium               |
 * | end   | writes, by `add`                 | where the next note goes                        |
 *
 * A note lies as a whole behind the place where it begins, also where that is the last one. A thread that
 * is terminated between `add` and the note leaves zeros there, or the end of the file: nothing to undo.
 *
 * @module
 */
import * as memory from '#memory'
import { builtin } from '../../os/builtin.js'
import { punchHole } from '../../os/file-io.js'
import { inTurn, type BackEnd, type Done, type Outcome, type Step } from './back-end.js'
import { FileBackEnd } from './file.js'
import { MappedBytes } from './mapped-bytes.js'
import { sectorBytes } from './spec.js'

const begin = 0
const end = 1
/** The words of a journal. */
export const journalWords = 2
/** The size of its file: what the words can tell of, and one note. */
const journalBytes: number = 2 ** 41 + 2 ** 19
const mostNoted = 2 ** 18

export class Journal {
  readonly #file: FileBackEnd
  readonly #words: memory.Words
  readonly #at: number
  readonly #spare: MappedBytes[] = []

  /** @param at - where its words begin */
  constructor(path: string, words: memory.Words, at: number) {
    const fd = builtin('node:fs').openSync(path, 'r+')
    this.#file = new FileBackEnd({ fd, size: journalBytes, alignment: 1 })
    this.#words = words
    this.#at = at
  }

  /** Notes what a range holds. */
  note(over: BackEnd, offset: number, length: number, done: Done): Outcome {
    return inTurn(this.#notes(over, offset, length), done)
  }

  /** Flushes what lies below, and forgets what was noted before. */
  flush(over: BackEnd, done: Done): Outcome {
    const upTo = memory.load(this.#words, this.#at + end)
    const forget: Step = () => {
      const from = memory.load(this.#words, this.#at + begin)
      // Another flush may have come further.
      const sectors = (upTo - from) | 0
      const isMine = sectors > 0 && memory.replace(this.#words, this.#at + begin, from, upTo)
      if (isMine) punchHole(this.#file.fd, placeOf(from), sectors * sectorBytes)
      return 'done'
    }
    return inTurn([(flushed) => over.flush(flushed), forget], done)
  }

  /** Undoes all that was noted, and forgets it. Nothing may be under way. @returns whether it could */
  undo(over: BackEnd): boolean {
    const memoryOf = this.#spare.pop() ?? new MappedBytes(mostNoted + sectorBytes)
    this.#spare.push(memoryOf)
    const header = { segments: memoryOf, from: 0, length: sectorBytes }
    const view = new DataView(memoryOf.bytes().buffer, memoryOf.bytes().byteOffset, 16)
    const places: number[] = []
    const last = memory.load(this.#words, this.#at + end)
    const { size } = builtin('node:fs').fstatSync(this.#file.fd)
    for (let at = memory.load(this.#words, this.#at + begin); ((last - at) | 0) > 0;) {
      // Who took this place was terminated before it wrote its note, and so before the change.
      if (placeOf(at) >= size) {
        at += 1
        continue
      }
      places.push(placeOf(at))
      if (this.#file.read(header, placeOf(at)) !== 'done') return false
      at += 1 + view.getFloat64(8) / sectorBytes
    }
    while (places.length > 0) {
      const place = places.pop() ?? 0
      this.#file.read(header, place)
      const [offset, length] = [view.getFloat64(0), view.getFloat64(8)]
      const bytes = { segments: memoryOf, from: sectorBytes, length }
      this.#file.read(bytes, place + sectorBytes)
      if (over.write(bytes, offset, () => {}) !== 'done') return false
    }
    memory.store(this.#words, this.#at + begin, last)
    return true
  }

  close(): void {
    for (const each of this.#spare) each.free()
    this.#file.close()
  }

  *#notes(over: BackEnd, offset: number, length: number): Iterable<Step> {
    for (let done = 0; done < length; done += mostNoted) {
      const some = Math.min(mostNoted, length - done)
      yield (noted) => this.#noteSome(over, offset + done, some, noted)
    }
  }

  #noteSome(over: BackEnd, offset: number, length: number, done: Done): Outcome {
    const bytes = this.#spare.pop() ?? new MappedBytes(mostNoted + sectorBytes)
    const view = new DataView(bytes.bytes().buffer, bytes.bytes().byteOffset, 16)
    view.setFloat64(0, offset)
    view.setFloat64(8, length)
    const sectors = 1 + length / sectorBytes
    const steps: Step[] = [
      (read) => over.read({ segments: bytes, from: sectorBytes, length }, offset, read),
      () => {
        const at = memory.add(this.#words, this.#at + end, sectors)
        const all = { segments: bytes, from: 0, length: sectors * sectorBytes }
        return this.#file.write(all, placeOf(at))
      },
      () => {
        this.#spare.push(bytes)
        return 'done'
      },
    ]
    return inTurn(steps, done)
  }
}

/** Where a sector of the journal lies in its file, in bytes. */
const placeOf = (sector: number): number => (sector >>> 0) * sectorBytes
