import { after } from 'node:test'
import { WorkQueue, type WorkQueueOptions } from '../../index.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { wordsFrom } from '../contract/support.fixture.js'
import { workQueueContract } from '../wq.contract.js'
import { mappedWords, removeMappedFiles, withFiles } from './mapped.fixture.js'

checkForLeaks()
after(removeMappedFiles)
// The suite's handlers tell how far they are by shared words.
wordsFrom(mappedWords)

const handlers = new URL('./mapped-handlers.fixture.js', import.meta.url)

/** A queue whose words arrive as words. */
class Mapped extends WorkQueue {
  override run(...[name, args = [], options]: Parameters<WorkQueue['run']>): Promise<unknown> {
    return super.run(name, withFiles(args) as unknown[], options)
  }

  override enqueue(...[name, args = [], options]: Parameters<WorkQueue['enqueue']>): never {
    return super.enqueue(name, withFiles(args) as unknown[], options) as never
  }
}

const make = (options: WorkQueueOptions = {}, module: URL | string = handlers): WorkQueue => {
  const url = new URL(handlers)
  const usesWords =
    module !== handlers && /Atomics|handlers\.fixture/.test(decodeURIComponent(String(module)))
  if (usesWords) url.searchParams.set('of', String(module))
  return new Mapped(usesWords ? url : module, {
    concurrency: { unbounded: 1 },
    isolation: 'process',
    ...options,
    ...('data' in options ? { data: withFiles(options.data) } : {}),
  })
}

const moved = 'nothing can be moved to another process'

workQueueContract(make, {
  'shared memory stays shared': 'two processes share none',
  'what is in a transfer list is moved at submission, and moved back from a handler that says so':
    moved,
  'a transfer list moves at submission also where it is in no argument': moved,
  'a moved object that is gone by the time its work could run rejects it, and the others run':
    moved,
  'env and resource limits reach the workers':
    'it asks the thread for its limits: see isolation.test.ts',
  'a work that was cancelled before its thread began it never runs on another':
    'its handler waits on a word, and two processes share none that can be waited on',
  'a work that was sent to a thread which was ending runs on another':
    'a call that is on its way to a process that ends was begun as far as anybody can tell',
})
