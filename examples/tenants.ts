/**
 * Two tenants of one program: each has its own limit, one is halted while a backup runs, and one does
 * not pay.
 *
 *     node build/examples/tenants.js
 */
import { Owner, UserWorker, UserWorkerError, WorkQueue } from 'userworker'

type Works = typeof import('./tenants-works.js')

function tenant(name: string): { owner: Owner; queue: WorkQueue<Works> } {
  const owner = new Owner({ name, limits: { workers: 2, heapMb: 128 } })
  const module = new URL('./tenants-works.js', import.meta.url)
  return { owner, queue: new WorkQueue<Works>(module, { owner, name }) }
}

const acme = tenant('acme')
const initech = tenant('initech')
const ledger = new Int32Array(new SharedArrayBuffer(12))
const keeper = await UserWorker.create(new URL('./tenants-ledger.js', import.meta.url), {
  owner: initech.owner,
  name: 'ledger',
  data: ledger,
})
await keeper.start()

// The keeper has one of initech's two places: its bills have the other.
const customers = ['Ann', 'Bob', 'Cem', 'Dee']
const bills = [acme, initech].flatMap(({ queue }) =>
  customers.map((customer) => queue.run('bill', [customer, 20])),
)

// For a backup everything of acme stands still, works that run included.
const { laggards } = await acme.owner.freeze({ at: 'anywhere' })
console.log(`acme is ${acme.owner.state}, ${laggards.length} still move`)
acme.owner.thaw()
const all = await Promise.all(bills)
console.log(`${all.length} bills, at most ${initech.owner.limits.workers} threads for each tenant`)

// Initech does not pay: its works reject, and its ledger is closed.
const last = initech.queue.run('bill', ['Eve', 1_000_000])
initech.owner.kill(new Error('unpaid'))
try {
  await last
} catch (error) {
  if (!(error instanceof UserWorkerError)) throw error
  console.log(`${error.code}: ${error.message}`)
}
console.log(`the keeper ended with ${await keeper.join()}, ledger closed: ${ledger[2] === 1}`)
await Promise.all([initech.owner.stop(), acme.owner.stop()])
console.log(`workers left: ${Owner.current().workers().length}`)
