/**
 * Numbers as one types them behind an option.
 *
 * @module
 */
import { InvalidArgumentError } from 'commander'

const powers: Readonly<Record<string, number>> = { '': 0, K: 1, M: 2, G: 3, T: 4 }

/** A number of bytes: `4096`, `10G`. */
export function bytesIn(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([KMGT]?)$/i.exec(text) ?? []
  const bytes = Number(digits) * 1024 ** (powers[unit.toUpperCase()] ?? 0)
  if (digits !== '' && bytes > 0 && Number.isSafeInteger(bytes)) return bytes
  throw new InvalidArgumentError('It must be a number of bytes, such as 4096, 512M or 10G.')
}

/** Whole numbers in a range. */
export function countIn(least: number, most: number): (text: string) => number {
  return (text) => {
    const count = Number(text)
    if (/^\d+$/.test(text) && count >= least && count <= most) return count
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
}

/** Bytes for people, with three digits. */
export function shownBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1)
  const value = bytes / 1024 ** power
  return `${power === 0 ? value : Number(value.toPrecision(4))} ${units[power]}`
}
