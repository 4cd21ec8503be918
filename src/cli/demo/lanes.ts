/**
 * Several things at a time, but not more.
 *
 * @module
 */

/**
 * Calls `run` for each item, in order, with at most `count` calls under way. The first failure ends
 * it, once what is under way has ended.
 *
 * @param onFailure - called at the first failure, to end sooner what is under way
 * @throws the first failure
 */
export async function inLanes<T>(
  count: number,
  items: readonly T[],
  run: (item: T) => Promise<void>,
  onFailure: () => void = () => {},
): Promise<void> {
  const rest = items.values()
  const failures: unknown[] = []
  const lane = async (): Promise<void> => {
    try {
      for (const item of rest) {
        if (failures.length > 0) break
        await run(item)
      }
    } catch (error) {
      failures.push(error)
      if (failures.length === 1) onFailure()
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, lane))
  if (failures.length > 0) throw failures[0]
}
