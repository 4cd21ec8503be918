/**
 * Workers for tests that give one answer.
 *
 * @module
 */
import { drain, MessageChannel } from '../os/thread.js'
import { UserWorker, type UserWorkerOptions } from './index.js'
import { moduleOf } from './module.fixture.js'

/**
 * What a function gives, called with the data in a worker of its own. Its text may use `fs`.
 *
 * @throws what the function threw, or why the worker could not be made
 */
export async function answerOf<Answer>(
  text: string,
  { data, transfer = [], ...options }: UserWorkerOptions = {},
): Promise<Answer> {
  const module = moduleOf(`
    import fs from 'node:fs'
    export default async ({ port, data }, self) => {
      port.postMessage({ answer: await (${text})(data, self) })
    }`)
  const { port1, port2 } = new MessageChannel()
  try {
    const worker = await UserWorker.create(module, {
      ...options,
      data: { port: port2, data },
      transfer: [port2, ...transfer],
    })
    await worker.start()
    await worker.join()
    if (worker.error !== null) throw worker.error
    const answers: Answer[] = []
    drain(port1, (message) => answers.push((message as { answer: Answer }).answer))
    return answers[0] as Answer
  } finally {
    port1.close()
  }
}
