import { WorkQueue } from '../index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { workQueueContract } from './wq.contract.js'

checkForLeaks()

const handlers = new URL('./handlers.fixture.js', import.meta.url)

// The suite speaks of workers that run one work at a time.
workQueueContract(
  (options, module = handlers) =>
    new WorkQueue(module, { concurrency: { unbounded: 1 }, ...options }),
)
