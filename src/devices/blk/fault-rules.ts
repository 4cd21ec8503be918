/**
 * What goes wrong with a disk, and when: rules, as objects and in a small language.
 *
 *     rules  = rule, { ";", rule }
 *     rule   = action, ":", operation, [ ":", value, { ",", value } ] | "volatile"
 *     value  = name, "=", text
 *
 * | action  | of                    | what happens                                                      |
 * | ------- | --------------------- | ----------------------------------------------------------------- |
 * | `error` | any operation         | nothing is done, and the guest gets an I/O error                  |
 * | `torn`  | `write`               | the first sectors are written, and `answer` is given              |
 * | `lose`  | `write`, `flush`      | nothing is done, and the guest is told that it was                |
 * | `delay` | any operation         | it begins `ms` milliseconds later                                 |
 *
 * The operations are `read`, `write`, `flush`, `discard`, `zero`, and `any`.
 *
 * | value                | it happens                                                      | unless told   |
 * | -------------------- | --------------------------------------------------------------- | ------------- |
 * | `p=0.01`             | with this probability                                           | 1             |
 * | `nth=100`            | at each so manieth one that fits                                | 1             |
 * | `after=1000`         | not at the first so many that fit                               | 0             |
 * | `times=1`            | so often in all                                                 | no limit      |
 * | `sectors=2048-4095`  | where one of these is touched; a flush touches none             | all           |
 * | `ms=5`               | of `delay`: so late, from 0 to 3600000                          | has to be told |
 * | `answer=ok`          | of `torn`: what the guest is told: `ok` or `error`              | `error`       |
 *
 * `volatile` gives the disk a cache: what was not flushed is gone after a crash (`crash()`). A rule
 * that loses flushes implies it.
 *
 * @module
 */
import { invalid } from '../../errors.js'

const operations = ['read', 'write', 'flush', 'discard', 'zero', 'any'] as const
/** By action, what it can befall. */
const actions = {
  error: operations,
  torn: ['write'],
  lose: ['write', 'flush'],
  delay: operations,
} as const

/** An operation that a fault can befall. */
export type FaultOperation = (typeof operations)[number]

/** One thing that goes wrong. What is left out is as in the table above. */
export interface FaultRule {
  /** What happens. */
  readonly action: keyof typeof actions
  /** Which operations it befalls. */
  readonly operation: FaultOperation
  /** With this probability: a number from 0 to 1; 1 unless told. */
  readonly p?: number
  /** At each so manieth operation that fits: from 1 on; 1 unless told. */
  readonly nth?: number
  /** Not at the first so many that fit: from 0 on; 0 unless told. */
  readonly after?: number
  /** So often in all: from 1 on; without limit unless told. */
  readonly times?: number
  /** Where one of these sectors of 512 bytes is touched: first and last; anywhere unless told. */
  readonly sectors?: readonly [number, number]
  /** Milliseconds, of `delay`, which has to have them: from 0 to 3600000. */
  readonly ms?: number
  /** What the guest is told, of `torn`; 'error' unless told. */
  readonly answer?: 'ok' | 'error'
}

/** All that goes wrong. */
export interface Faults {
  readonly rules: readonly FaultRule[]
  /** Whether what was not flushed is gone after a crash. */
  readonly isVolatile: boolean
}

const mostSectors = 2 ** 53 / 512
const longestMs = 3_600_000
const mostCount = 2 ** 31 - 1

/**
 * Faults as they are given: rules, or a text in the language above.
 *
 * @throws TypeError EINVAL: a sentence that names the rule, and what would be right
 */
export function faultsOf(given: string | readonly FaultRule[], isVolatile = false): Faults {
  const parts = typeof given === 'string' ? given.split(';').map((part) => part.trim()) : given
  const rules: FaultRule[] = []
  let isCached = isVolatile
  for (const part of parts) {
    if (part === 'volatile') isCached = true
    else if (typeof part === 'string') rules.push(checkedRule(parsed(part), part))
    else rules.push(checkedRule(part, JSON.stringify(part)))
  }
  const losesFlushes = rules.some(
    ({ action, operation }) => action === 'lose' && operation === 'flush',
  )
  return { rules, isVolatile: isCached || losesFlushes }
}

function parsed(text: string): FaultRule {
  const [action = '', operation = '', values = '', ...more] = text.split(':')
  if (operation === '' || more.length > 0)
    throw wrong(text, "must be 'action:operation' or 'action:operation:name=value,…'")
  const rule: Record<string, unknown> = { action, operation }
  for (const value of values === '' ? [] : values.split(',')) {
    const [name = '', given, ...rest] = value.split('=')
    if (given === undefined || given === '' || rest.length > 0)
      throw wrong(text, `has '${value}' where 'name=value' belongs`)
    if (name in rule) throw wrong(text, `has '${name}' twice`)
    rule[name] = valueOf(name, given)
  }
  return rule as unknown as FaultRule
}

function valueOf(name: string, given: string): unknown {
  if (name === 'answer') return given
  if (name !== 'sectors') return Number(given)
  const [first, last = first, ...rest] = given.split('-').map(Number)
  return rest.length > 0 ? null : [first, last]
}

function checkedRule(rule: FaultRule, text: string): FaultRule {
  const known = Object.keys(actions).join(', ')
  if (!Object.hasOwn(actions, rule.action))
    throw wrong(text, `has the action '${rule.action}'. There is: ${known}`)
  const possible: readonly string[] = actions[rule.action]
  if (!possible.includes(rule.operation))
    throw wrong(
      text,
      `has the operation '${rule.operation}'. '${rule.action}' can befall: ${possible.join(', ')}`,
    )
  for (const [name, value] of Object.entries(rule)) checkValue(rule, name, value, text)
  if (rule.action === 'delay' && rule.ms === undefined)
    throw wrong(text, "must say how late, as in 'delay:read:ms=5'")
  return rule
}

function checkValue(rule: FaultRule, name: string, value: unknown, text: string): void {
  const counts = (least: number, most: number): boolean =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
  const only = (action: string): string | null =>
    rule.action === action ? null : `has '${name}', which belongs to '${action}'`
  const number = typeof value === 'number' ? value : NaN
  switch (name) {
    case 'action':
    case 'operation':
      return
    case 'p':
      return refuse(text, number >= 0 && number <= 1, 'must have a p from 0 to 1')
    case 'nth':
    case 'times':
      return refuse(text, counts(1, mostCount), `must have a whole number from 1 on as ${name}`)
    case 'after':
      return refuse(text, counts(0, mostCount), 'must have a whole number from 0 on as after')
    case 'ms':
      if (only('delay') !== null) throw wrong(text, only('delay') ?? '')
      return refuse(text, number >= 0 && number <= longestMs, `must have ms from 0 to ${longestMs}`)
    case 'answer':
      if (only('torn') !== null) throw wrong(text, only('torn') ?? '')
      return refuse(
        text,
        value === 'ok' || value === 'error',
        "must have 'ok' or 'error' as answer",
      )
    case 'sectors': {
      const [first, last, ...rest] = Array.isArray(value) ? (value as unknown[]) : []
      const isRange =
        rest.length === 0 &&
        [first, last].every((each) => Number.isInteger(each) && (each as number) >= 0) &&
        (first as number) <= (last as number) &&
        (last as number) < mostSectors
      return refuse(text, isRange, "must have sectors as 'first-last'")
    }
    default:
      throw wrong(text, `has '${name}'. There is: p, nth, after, times, sectors, ms, answer`)
  }
}

function refuse(text: string, isRight: boolean, remedy: string): void {
  if (!isRight) throw wrong(text, remedy)
}

function wrong(text: string, what: string): TypeError {
  return invalid(`The fault '${text}' ${what}`)
}
