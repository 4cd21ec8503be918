import { WorkQueue } from '../../index.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { workQueueContract } from '../wq.contract.js'

checkForLeaks()

const handlers = new URL('../handlers.fixture.js', import.meta.url)

const words =
  'its handlers tell how far they are by shared words, which a child process cannot have'

const without = {
  'WQ-41: a pending work that is cancelled never runs and rejects with ECANCELED': words,
  'WQ-42: a running work has its signal aborted, and ends as it will': words,
  'WQ-43: the outcome is not-found for a settled work, and running wins over canceled': words,
  'WQ-40: cancel by match takes the first hit, or all of them, and spares the others (WQ-47)':
    words,
  'WQ-48: of 500 works raced by a cancel each was run or cancelled, never both or neither': words,
  'cancelling works of one key starts none of them, whatever their classes': words,
  'a match sees pending works in order of submission': words,
  'a work that was cancelled before its thread began it never runs on another': words,
  'INV-IOWQ-1: never more workers than the maximum, and as many as it allows': words,
  'INV-IOWQ-16: blocked unbounded works do not keep bounded ones from running, nor the reverse':
    words,
  'workers are listed with name, thread, class, state and work': words,
  'WQ-51: close finishes bounded works, also pending ones, and tears down each worker': words,
  'WQ-50: a closed queue refuses works with ECANCELED, and WQ-51: unbounded ones are cancelled':
    words,
  'WQ-53: closing idle workers of both classes takes less than 500 ms': words,
  'close ends a work that never ends by force after closeDeadlineMs, and says which': words,
  'a work that never ends keeps no idle worker from tearing down, and is named alone': words,
  'a worker that waits for a key tears down when close gives up on the key': words,
  'a bounded work behind a key, whose class has no worker, is cancelled by close at once': words,
  'a worker whose teardown begins at the deadline and does not end is named too': words,
  'works that close has to end are cancelled works: nobody needs to look at them': words,
  'a dying thread settles the works it had, each once, and no other': words,
  'INV-IOWQ-5: works of one key never overlap, and INV-IOWQ-6: they run in order of submission':
    words,
  'INV-IOWQ-7: a busy key holds up no other work': words,
  'keys are exact values, not hashes or texts (C-4)': words,
  'a chain goes on behind a work that failed, that was cancelled, or whose thread died': words,
  'INV-IOWQ-4: each of 2,000 works runs exactly once': words,
  'WQ-18: with one worker, works without a key run in the order of their submission': words,
  'INV-IOWQ-18: enqueue returns at once with a handle that shows where the work is': words,
  'a work whose signal was aborted before does not run and rejects with an AbortError': words,
  'aborting a pending work rejects it at once, and it never runs': words,
  'aborting a running work rejects it at once, and the handler sees the reason': words,
  'the key of an aborted work stays taken until its handler has ended': words,
  'a reason that refuses to be looked at aborts all the same, and every work of the signal': words,
  'a listener of the signal may ask which work it belongs to': words,
  'shared memory stays shared': words,
}

workQueueContract(
  (options, module = handlers) =>
    new WorkQueue(module, { concurrency: { unbounded: 1 }, isolation: 'process', ...options }),
  without,
)
