/** A bare thread that does works by their names, and answers with their ids. */
import { parentPort } from 'node:worker_threads'
import * as works from './works.js'

type Work = (...values: unknown[]) => unknown

const handlers = {
  ...works,
  add: (a: number, b: number): number => a + b,
} as unknown as Readonly<Record<string, Work>>

interface Message {
  readonly id: number
  readonly name: string
  readonly values: readonly unknown[]
}

parentPort?.on('message', ({ id, name, values }: Message) => {
  const answer = (result: unknown): void => parentPort?.postMessage({ id, result })
  const result = handlers[name]?.(...values)
  if (result instanceof Promise) void result.then(answer)
  else answer(result)
})
