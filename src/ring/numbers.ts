/**
 * Numbers in bytes, at any place, low byte first.
 *
 * @module
 */
const double = new Float64Array(1)
const doubleBytes = new Uint8Array(double.buffer)

/** Writes the low 32 bits. */
export function putCount(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >> 8
  bytes[at + 2] = value >> 16
  bytes[at + 3] = value >> 24
}

/** Reads 32 bits as a number with a sign. */
export function integerAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
  return low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)
}

/** Reads 32 bits as a number from zero. */
export function countAt(bytes: Uint8Array, at: number): number {
  return integerAt(bytes, at) >>> 0
}

/** Writes eight bytes; the processor's order will do, since both sides are one process. */
export function putDouble(bytes: Uint8Array, at: number, value: number): void {
  double[0] = value
  for (let index = 0; index < 8; index++) bytes[at + index] = doubleBytes[index] as number
}

/** Reads eight bytes. */
export function doubleAt(bytes: Uint8Array, at: number): number {
  for (let index = 0; index < 8; index++) doubleBytes[index] = bytes[at + index] as number
  return double[0] as number
}

/** The next multiple of eight. */
export function aligned(at: number): number {
  return (at + 7) & ~7
}
