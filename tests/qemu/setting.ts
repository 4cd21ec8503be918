/**
 * What all steps share.
 *
 * @module
 */
import type { Backend } from './backend.js'
import type { Course } from './course.js'
import { Guest, type Machine } from './guest.js'

export interface Setting {
  readonly course: Course
  readonly backend: Backend
  /** Where images and sockets lie. */
  readonly folder: string
  readonly kernel: Machine['kernel']
}

/** The names of the steps that a backend may lack. */
export const growing = 'the disk grows while it is in use'
export const booting = 'serve-disk --boot gives a shell on the disk'

/** @throws Error: it does not hold */
export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}

type Plain = string | number | undefined

/** @throws Error: they differ */
export function expectSame(what: string, actual: Plain, expected: Plain): void {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`)
}

/** Boots a guest, as a step of its own. @throws Error: it does not boot, so nothing can be tried */
export async function booted(course: Course, name: string, machine: Machine): Promise<Guest> {
  const guest = new Guest(machine)
  await course.step(name, () => guest.ready())
  if (!guest.isAlive) throw new Error('without a guest nothing else can be tried')
  return guest
}
