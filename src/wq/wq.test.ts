import { WorkQueue } from '../index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { workQueueContract } from './wq.contract.js'

checkForLeaks()

const handlers = new URL('./handlers.fixture.js', import.meta.url)

workQueueContract((options, module = handlers) => new WorkQueue(module, options))
