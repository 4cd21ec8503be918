/**
 * The parts of the project that the bench drives disks with: the frontend that users test with, and
 * the guest of the project's own tests.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'

const root = new URL('../../../', import.meta.url)
const load = (file: string): Promise<unknown> => import(new URL(file, root).href)

/** The file that `userworker` runs. */
export const command: string = fileURLToPath(new URL('dist/cli/main.js', root))

/** A frontend without a guest. */
export async function loadFrontend() {
  const testing = (await load(
    'dist/testing/index.js',
  )) as typeof import('../../../dist/testing/index.js')
  const events = (await load('dist/os/events.js')) as typeof import('../../../dist/os/events.js')
  return { ...testing, ...events }
}

/** A guest, and what it is made of. */
export async function loadGuest() {
  const { system } = (await load(
    'build/tests/qemu/library.js',
  )) as typeof import('../../../tests/qemu/library.js')
  const { Guest } = (await load(
    'build/tests/qemu/guest.js',
  )) as typeof import('../../../tests/qemu/guest.js')
  return { system, Guest }
}
