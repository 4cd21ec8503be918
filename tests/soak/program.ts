/**
 * The program that is soaked: load, rest, sample, again and again.
 *
 * Its arguments are a `Plan` as JSON. It prints lines of JSON, each of them a `Said`.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeIn, dist } from '../model/catalogue.js'
import type { Actor, Stage } from './actors/actor.js'
import { DiskActor } from './actors/disk.js'
import { Isolated } from './actors/isolated.js'
import { deadly, nested, shortLived } from './actors/queues.js'
import { Steady } from './actors/steady.js'
import { owners, workers } from './actors/workers.js'
import { flaws } from './flaws.js'
import { Ledger } from './ledger.js'
import { sample, type Sample } from './measures.js'

/** What is to be done. */
export interface Plan {
  readonly ms: number
  readonly seed: number
  /** How long anything may take to settle, from when no more is submitted. */
  readonly deadlineMs: number
  /** Names of `flaws`. */
  readonly flaws: readonly string[]
  /** Names of actors that are left out. */
  readonly without: readonly string[]
}

/** What it says: at the beginning, at each rest, and at the end. */
export type Said =
  | { readonly skipped: string }
  | { readonly sample: Sample; readonly works: number; readonly atMs: number }
  | { readonly account: Account }

/** What came of all works. */
export interface Account {
  readonly works: Readonly<Record<string, number>>
  readonly lost: number
  readonly duplicated: number
  readonly wrong: number
  readonly notes: readonly string[]
}

const plan = JSON.parse(process.argv[2] ?? '') as Plan
const { seeded } = (await codeIn(dist)('os/random.js')) as typeof import('../../src/os/random.js')
const folder = mkdtempSync(join(tmpdir(), 'userworker-soak-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const ledger = new Ledger(join(folder, 'begun'))
const stage: Stage = { ledger, dice: seeded(plan.seed), folder }
const say = (said: Said): void => console.log(JSON.stringify(said))
/** On a busy machine a short soak takes longer than it was told. */
const leastRests = 4
/** So long is there load between two rests. */
const loadMs = Math.min(8000, Math.max(1000, plan.ms / 60))

async function makeActors(): Promise<Actor[]> {
  const actors = [
    new Steady(stage),
    new Isolated(stage),
    shortLived(stage),
    deadly(stage),
    nested(stage),
    workers(stage),
    owners(stage),
  ]
  try {
    for (const overlay of [false, true]) actors.push(await DiskActor.make(stage, overlay))
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOTSUP') throw error
    say({ skipped: `disks: ${(error as Error).message}` })
  }
  return actors.filter(({ name }) => !plan.without.includes(name))
}

/** @returns whether all that was begun has come to its end */
async function inTime(ms: number, all: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  const isThere = await Promise.race([all.then(() => true), late])
  clearTimeout(timer)
  return isThere
}

/** An actor's turns until a time. */
async function play(actor: Actor, until: number): Promise<void> {
  // At least one each, also where the others have taken all of the time.
  do {
    try {
      await actor.turn()
    } catch (error) {
      ledger.note('wrong', `${actor.name}: ${(error as Error).stack}`)
      return
    }
  } while (performance.now() < until && !ledger.isFull)
}

/** @returns whether the next round may begin */
async function round(actors: readonly Actor[]): Promise<boolean> {
  const until = performance.now() + loadMs
  const turns = Promise.all(actors.map((actor) => play(actor, until)))
  let isThere = await inTime(loadMs + plan.deadlineMs, turns)
  for (const name of plan.flaws) await flaws[name]?.(ledger)
  const rests = Promise.all(isThere ? actors.map((actor) => actor.rest()) : [])
  isThere = (await inTime(plan.deadlineMs, rests)) && isThere
  await ledger.rest(isThere ? plan.deadlineMs : 0)
  if (!isThere && ledger.lost === 0) ledger.note('lost', 'a turn did not end')
  // What was lost may still begin, and its place is another work's then.
  return ledger.lost === 0
}

const begun = performance.now()
const actors = await makeActors()
let goesOn = true
for (
  let rests = 0;
  goesOn && (rests < leastRests || performance.now() - begun < plan.ms);
  rests++
) {
  goesOn = await round(actors)
  const works = [...ledger.works.values()].reduce((sum, count) => sum + count, 0)
  const atMs = Math.round(performance.now() - begun)
  if (goesOn) say({ sample: await sample(), works, atMs })
}
if (goesOn) {
  const ends = Promise.all(actors.map((actor) => actor.close()))
  if (!(await inTime(plan.deadlineMs, ends))) ledger.note('lost', 'an end that never came')
  await ledger.rest(0)
}
const { lost, duplicated, wrong, notes } = ledger
say({ account: { works: Object.fromEntries(ledger.works), lost, duplicated, wrong, notes } })
process.exit(0)
