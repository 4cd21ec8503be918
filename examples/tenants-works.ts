/** The handlers of `tenants.ts`. */
import { setTimeout as wait } from 'node:timers/promises'
import { current } from 'userworker/current'

/** A bill for each customer of a tenant, in several steps. */
export async function bill(customer: string, steps: number): Promise<string> {
  for (let step = 0; step < steps; step++) {
    current().checkpoint()
    await wait(1)
  }
  return `bill for ${customer}`
}
