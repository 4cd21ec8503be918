/** The thread of `tenants.ts` that keeps a tenant's ledger, and closes it whatever happens. */
import { loop } from 'userworker/self'

let ledger: Int32Array | null = null

export default loop(
  (words: Int32Array) => {
    ledger = words
    Atomics.add(words, 0, Atomics.exchange(words, 1, 0))
    return false
  },
  { onKill: () => void (ledger !== null && Atomics.store(ledger, 2, 1)) },
)
