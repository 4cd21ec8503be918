/**
 * The warning for a carrier that only one side has.
 *
 * @module
 */

/** The names that this thread was warned of. */
const warned = new Set<string>()

/** Warns once for each name, however many workers miss the carrier. */
export function warnOfCarrier(name: string, module: string): void {
  if (warned.has(name)) return
  warned.add(name)
  process.emitWarning(
    `Works carry '${name}', and the workers of ${module} have no carrier of that name: they run without ` +
      "it. Import the module that calls carry() there too, or name it in the option 'preload'",
    { type: 'UserWorkerWarning', code: 'ERR_NO_CARRIER' },
  )
}
