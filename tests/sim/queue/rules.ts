/**
 * By which errors a work may fail, and when.
 *
 * @module
 */
import type { Entry } from './ledger.js'

/** What happened to a work's queue. */
export interface Circumstances {
  /** Threads that died by themselves, or by force. */
  readonly deaths: number
  /** Threads that could not be made. */
  readonly refusals: number
  /** Modules that could not be loaded. */
  readonly loadFailures: number
  /** How often something stood still for long, or the clock jumped. */
  readonly standstills: number
  readonly isClosing: boolean
  readonly isOwnerKilled: boolean
  readonly isOwnerStopped: boolean
  /** Works beyond the limit take the place of others. */
  readonly dropsOldest: boolean
}

/** What is known of other works. */
export interface Others {
  isNotDone(id: number): boolean
  isGone(thread: string): boolean
  isHeldUp(): boolean
  now(): number
}

/** The error of the handler that fails. */
const ownFailure = "'as asked'"

/** Clocks of the model and of the library are not read at the same step. */
const slackMs = 2

type Rule = (entry: Entry, facts: Circumstances, others: Others) => string | null

const whenRefused: Rule = (_, { refusals }) => (refusals > 0 ? null : 'and no thread was refused')

const whenDied: Rule = ({ run, deathsBefore }, { deaths, standstills }, others) => {
  // One that stands is not waited for.
  if (run !== null && standstills > 0) return null
  if (run !== null) return others.isGone(run.thread) ? null : 'and its thread lives'
  return deaths > deathsBefore ? null : 'and no thread has died'
}

const rules: Readonly<Record<string, Rule>> = {
  [ownFailure]: ({ name, run }) =>
    name === 'fail' && run?.end === 'threw' ? null : 'which it did not throw',
  ABORT_ERR: ({ isAborted }) => (isAborted ? null : 'and its signal was not aborted'),
  ECANCELED: (entry, facts, others) => {
    const isFollowing = entry.after.some((id) => others.isNotDone(id))
    const isLosable = facts.dropsOldest && entry.run === null
    const isTold = entry.canceled !== null || facts.isClosing || facts.isOwnerKilled
    return isTold || isFollowing || isLosable ? null : 'and nobody cancelled it'
  },
  ETIME: ({ timeoutMs, run }, _, others) => {
    if (timeoutMs === 0 || run === null) return 'and did not run'
    const ran = others.now() - run.since
    return ran >= timeoutMs - slackMs ? null : `and ran for ${ran.toFixed(1)} of ${timeoutMs} ms`
  },
  EAGAIN: (entry, facts, others) =>
    entry.isBeyondLimit ? null : whenRefused(entry, facts, others),
  EMFILE: whenRefused,
  ERR_WORKER_INIT: whenRefused,
  ERR_MODULE_LOAD: (_, { loadFailures }) =>
    loadFailures > 0 ? null : 'and every module was loaded',
  ERR_MODULE_LOAD_TIMEOUT: (_, { standstills }, others) =>
    standstills > 0 || others.isHeldUp() ? null : 'and nothing stood still',
  ERR_OWNER_KILLED: (_, { isOwnerKilled }) => (isOwnerKilled ? null : 'and its owner lives'),
  ENOSYS: (_, { isOwnerStopped }) => (isOwnerStopped ? null : 'and its owner has not ended'),
  ERR_WORKER_DIED: whenDied,
  ERR_WORKER_EXITED: whenDied,
}

/** @returns null, or why a work cannot have failed so */
export function errorRules(
  entry: Entry,
  facts: Circumstances,
  others: Others,
  code: string,
): string | null {
  const rule = rules[code]
  if (rule === undefined) return 'which is no way to fail'
  return rule(entry, facts, others)
}
