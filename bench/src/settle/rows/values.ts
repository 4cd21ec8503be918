/**
 * Values that cannot be sent, and errors that must arrive as they were.
 *
 * @module
 */
import type { Row } from '../row.js'
import { wordsOf } from '../words.js'

const throwing = {
  get value(): never {
    throw new RangeError('from the getter')
  },
}

const argument = (what: string, value: unknown, cause: string): Row => ({
  title: `an argument that cannot be cloned: ${what}`,
  expected: `ERR_NOT_CLONEABLE, cause ${cause}`,
  async run(trial) {
    const pool = await trial.warm()
    trial.begin()
    return trial.endOf(pool.enqueue('echo', value).result)
  },
})

const result = (what: string, kind: string, cause: string): Row => ({
  title: `a result that cannot be cloned: ${what}`,
  expected: `ERR_NOT_CLONEABLE, cause ${cause}`,
  async run(trial) {
    const pool = await trial.warm()
    trial.begin()
    return trial.endOf(pool.enqueue('give', kind).result)
  },
})

/** What of an error does not arrive. */
const lost: Readonly<
  Record<string, (error: Error & Record<string, unknown>) => readonly string[]>
> = {
  own: (error) => [
    ...(error instanceof RangeError ? [] : ['class']),
    ...(error.name === 'OwnError' ? [] : ['name']),
    ...(error.message === 'no' ? [] : ['message']),
    ...(error['code'] === 'E_OWN' ? [] : ['code']),
    ...(JSON.stringify(error['details']) === '{"list":[1,2]}' ? [] : ['details']),
    ...(error.cause instanceof TypeError ? [] : ['cause']),
  ],
  many: (error) => [
    ...(error instanceof AggregateError ? [] : ['class']),
    ...(error.message === 'many' ? [] : ['message']),
    ...(String((error as { errors?: unknown }).errors) === 'TypeError: one,RangeError: two'
      ? []
      : ['errors']),
  ],
  dom: (error) => [
    ...(error instanceof DOMException ? [] : ['class']),
    ...(error.name === 'NotSupportedError' ? [] : ['name']),
    ...(error.message === 'of the platform' ? [] : ['message']),
  ],
}

const thrown = (what: string, kind: string): Row => ({
  title: `a handler throws ${what}`,
  expected: 'kept whole',
  async run(trial) {
    const pool = await trial.warm()
    trial.begin()
    return trial.endOf(pool.enqueue('fail', kind).result, (error) => {
      if (!(error instanceof Error)) return wordsOf(error)
      const parts = lost[kind]?.(error as never) ?? []
      return parts.length === 0 ? 'kept whole' : `lost: ${parts.join(', ')}`
    })
  },
})

const overflow: Row = {
  title: 'a stack overflow',
  expected: 'RangeError: Maximum call stack size exceeded, same thread',
  async run(trial) {
    const pool = await trial.warm()
    const before = await pool.enqueue('place').result
    trial.begin()
    const end = await trial.endOf(pool.enqueue('overflow').result)
    const isSame = (await pool.enqueue('place').result) === before
    return `${end}, ${isSame ? 'same' : 'another'} thread`
  },
}

export const values: readonly Row[] = [
  overflow,
  argument('a function', () => {}, 'DataCloneError'),
  argument('a getter that throws', throwing, 'RangeError'),
  argument('a Proxy', new Proxy({}, {}), 'DataCloneError'),
  result('a function', 'function', 'DataCloneError'),
  result('a getter that throws', 'getter', 'RangeError'),
  result('a Proxy', 'proxy', 'DataCloneError'),
  thrown('its own class of error, with code, properties and cause', 'own'),
  thrown('an AggregateError', 'many'),
  thrown('a DOMException', 'dom'),
]
