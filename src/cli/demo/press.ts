/**
 * The handlers that the demo's workers run.
 *
 * @module
 */
import { current } from 'userworker/current'
import { appendLines, pressFile, type Order, type Pressed, type Target } from './pressing.js'

/** Presses files, one after the other, and sums them. */
export async function press(files: readonly Order[]): Promise<Pressed[]> {
  const { signal } = current()
  const pressed: Pressed[] = []
  for (const { source, target } of files) pressed.push(await pressFile(source, target, signal))
  return pressed
}

/**
 * Adds lines to a manifest. Works of one manifest have its path as their key, so that they never
 * overlap.
 */
export function record(manifest: Target, lines: string): void {
  appendLines(manifest, lines)
}
