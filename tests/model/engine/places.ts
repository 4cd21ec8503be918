/**
 * Everything that threads of a model share, as places that hold a number each: words, channels, the log,
 * whether each thread lives, how many waits timed out. Two steps commute unless they meet in a place.
 *
 * @module
 */
import type { Words } from '../operations.js'
import { Misuse, type Value } from './protocol.js'

/** What the place of a thread's life holds. */
export const Life = { ALIVE: 0, DOOMED: 1, RETURNED: 2, TERMINATED: 3 } as const

/** The place of the log. */
export const logPlace = 0
/** The place that counts time-outs. */
export const timeOutPlace = 1

interface Cell {
  readonly words: Words
  readonly index: number
}

/**
 * The places of a model. Words and channels become places when a step first meets them; until then they hold
 * what they held at the beginning.
 */
export class Places {
  /** What each place holds before the first step. */
  readonly initial: number[] = []
  readonly lists = new Lists()
  readonly #cells = new Map<number, Cell>()
  readonly #byWords = new Map<Words, Map<number, number>>()
  readonly #channels = new Map<string, number>()

  constructor(threads: number) {
    this.initial.push(0, 0, ...Array.from({ length: threads }, () => Life.ALIVE))
  }

  /** The place of a thread's life. */
  life(thread: number): number {
    return timeOutPlace + 1 + thread
  }

  /** Makes words known: those of a model are made before its threads run. */
  add(words: Words): void {
    this.#byWords.set(words, new Map())
  }

  /** What the words hold now is what they hold before the first step. */
  begin(): void {
    for (const [place, { words, index }] of this.#cells) this.initial[place] = words[index] ?? 0
  }

  /** The place of a word. */
  ofWord(words: Words, index: number): number {
    const known = this.#byWords.get(words)
    if (known === undefined)
      throw new Misuse('A thread uses shared words that were not made by `setUp`')
    const place = known.get(index)
    if (place !== undefined) return place
    const value = words[index]
    if (value === undefined) throw new Misuse(`A thread uses word ${index} of ${words.length}`)
    known.set(index, this.initial.length)
    this.#cells.set(this.initial.length, { words, index })
    return this.initial.push(value) - 1
  }

  /** The place of a channel. */
  ofChannel(name: string): number {
    const known = this.#channels.get(name)
    if (known !== undefined) return known
    this.#channels.set(name, this.initial.length)
    return this.initial.push(0) - 1
  }

  /** The word behind a place, or null where it is none. */
  word(place: number): Cell | null {
    return this.#cells.get(place) ?? null
  }

  /** The places of all words that were met. */
  allWords(): number[] {
    return [...this.#cells.keys()]
  }

  /** A place that is no word, in words. */
  name(place: number, threads: readonly string[]): string {
    if (place === logPlace) return 'the log'
    if (place === timeOutPlace) return 'the time-outs'
    const thread = threads[place - this.life(0)]
    if (thread !== undefined) return thread
    return [...this.#channels].find(([, channel]) => channel === place)?.[0] ?? `place ${place}`
  }

  /** Writes what all places hold to the words behind them, for an oracle to look at. */
  show(values: readonly number[]): void {
    for (const [place, { words, index }] of this.#cells)
      words[index] = values[place] ?? this.initial[place] ?? 0
  }
}

/** Lists of values by number: equal lists have equal numbers, and 0 is the empty one. */
class Lists {
  readonly #lists: (readonly Value[])[] = [[]]
  readonly #numbers = new Map<string, number>([['', 0]])
  readonly #values = new Map<string, { readonly number: number; readonly value: Value }>()

  /** The list with a number. */
  of(number: number): readonly Value[] {
    return this.#lists[number] ?? []
  }

  /** The number of a list with a value more at its end. */
  push(number: number, value: Value): number {
    return this.#number([...this.of(number), this.intern(value)])
  }

  /** The number of a list without its first value. */
  shift(number: number): number {
    return this.#number(this.of(number).slice(1))
  }

  /** One and the same value for all that are equal. */
  intern(value: Value): Value {
    return this.#known(value).value
  }

  #known(value: Value): { readonly number: number; readonly value: Value } {
    const key = value === undefined ? '' : JSON.stringify(value)
    const known = this.#values.get(key)
    if (known !== undefined) return known
    const copy = value === undefined ? undefined : frozen(JSON.parse(key) as Value)
    const added = { number: this.#values.size, value: copy }
    this.#values.set(key, added)
    return added
  }

  #number(list: readonly Value[]): number {
    const key = list.map((value) => `${this.#known(value).number} `).join('')
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.#lists.length)
    return this.#lists.push(list) - 1
  }
}

function frozen(value: Value): Value {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(frozen)
  return Object.freeze(value)
}
