/**
 * Handlers of queues whose workers are killed.
 *
 * @module
 */
import { appendFileSync } from 'node:fs'

let begun: string | undefined

/** @param file - in which each work leaves a line when it begins; none unless given */
export function setup(file: string | undefined): void {
  begun = file
  if (file !== undefined) appendFileSync(file, '')
}

export async function answer(number: number, ms: number): Promise<number> {
  if (begun !== undefined && number >= 0) appendFileSync(begun, `${number}\n`)
  await new Promise((resolve) => setTimeout(resolve, ms))
  return number
}

/** Takes so many bytes, and writes to each page of them. */
export function fill(bytes: number): number {
  const all: Uint8Array[] = []
  for (let taken = 0; taken < bytes; taken += 2 ** 20) all.push(new Uint8Array(2 ** 20).fill(1))
  return all.length
}

/** Small objects, one by one. */
export function fillHeap(): never {
  let all: unknown = null
  for (;;) all = { all }
}
