/**
 * `npm run sim`: worlds in which chance decides everything, by a seed.
 *
 * @module
 */
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { Census } from './census.js'
import { tryMutants } from './queue/index.js'
import type { Share } from './share.js'
import type { Outcome, World } from './world.js'
import { worlds } from './worlds.js'

const usage = `npm run sim -- [SEED] [options]

  SEED          tell each step of this seed
  --seeds N     so many seeds; default 500
  --from S      from this seed on; default 1
  --world NAME  one of ${worlds.map(({ name }) => name).join(', ')}; default: all
  --mutants     break the library in known ways instead: which seed notices?
  --json        print the findings as JSON, and nothing else`

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    world: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** A seed, or a number of seeds; anything else ends the program. */
function numberOf(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number < 2 ** 32) return number
  console.error(`${text} is no number from 0 to 4294967295\n\n${usage}`)
  return process.exit(2)
}

const chosen = worlds.filter(({ name }) => (options.world ?? name) === name)

async function tellOne(world: World, seed: number): Promise<boolean> {
  const { operations, digest, divergences } = await world.run(seed, (line) => console.log(line))
  console.log(`${world.name}: seed ${seed}, ${operations} operations, digest ${digest}`)
  for (const each of divergences) console.log(`  ${each}`)
  return divergences.length === 0
}

/** Each processor takes the next seed; the census takes them in their order. */
async function runMany(world: World, from: number, count: number): Promise<Census> {
  const outcomes = new Map<number, Outcome>()
  const share = Math.min(availableParallelism(), count)
  const shares = Array.from({ length: share }, (_, first) =>
    runShare({ world: world.name, first: from + first, step: share, end: from + count }, outcomes),
  )
  await Promise.all(shares)
  const census = new Census(world)
  for (let seed = from; seed < from + count; seed++) {
    const outcome = outcomes.get(seed)
    if (outcome !== undefined) census.add(seed, outcome)
  }
  return census
}

async function runShare(share: Share, outcomes: Map<number, Outcome>): Promise<void> {
  const thread = new Worker(new URL('./share.js', import.meta.url), {
    workerData: share,
    // Else a thread that ends closes descriptors that system calls have closed before, by numbers
    // that another thread's may have by now.
    trackUnmanagedFds: false,
  })
  thread.on('message', ([seed, outcome]: [number, Outcome]) => outcomes.set(seed, outcome))
  // An error of the thread is one of ours.
  await once(thread, 'exit')
}

function print(census: Census): void {
  const { world, seeds, operations, divergences, voids, faults, findings, unreached } = census
  const reached = world.edges.length - unreached.length
  const shares = Object.entries(faults).map(([kind, share]) => `${kind} ${percent(share)}`)
  console.log(
    `${world.name}: ${seeds} seeds, ${operations} operations, ${divergences} divergences, ${voids} that say nothing; ` +
      `${shares.join(', ')}; ${reached} of ${world.edges.length} edges` +
      (unreached.length === 0 ? '' : `, not ${unreached.join(', ')}`),
  )
  for (const { seed, divergences: texts } of findings) {
    console.log(
      `  seed ${seed}: ${texts[0]}${texts.length > 1 ? `, and ${texts.length - 1} more` : ''}`,
    )
  }
  for (const wrong of census.faulty) console.log(`  ${wrong}`)
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}

function reportOf(census: Census): object {
  const { world, seeds, operations, fewest, divergences, voids, faults, findings } = census
  const { unreached, faulty, digest } = census
  const edges = {
    reached: world.edges.length - unreached.length,
    of: world.edges.length,
    unreached,
  }
  const figures = { seeds, operations, fewest, divergences, voids, faults, edges, digest }
  return { world: world.name, ...figures, findings, faulty }
}

async function main(): Promise<boolean> {
  const [seed] = positionals
  let isRight = true
  if (options.mutants) {
    const found = await tryMutants()
    console.log(JSON.stringify(found, null, 2))
    return !Object.values(found).includes(null)
  }
  if (seed !== undefined) {
    for (const world of chosen) isRight = (await tellOne(world, numberOf(seed))) && isRight
    return isRight
  }
  const reports: object[] = []
  for (const world of chosen) {
    const census = await runMany(world, numberOf(options.from), numberOf(options.seeds))
    if (options.json) reports.push(reportOf(census))
    else print(census)
    isRight &&= census.faulty.length === 0
  }
  if (options.json) console.log(JSON.stringify({ worlds: reports }, null, 2))
  return isRight
}

if (options.help || chosen.length === 0) {
  console.log(usage)
  process.exitCode = options.help ? 0 : 2
} else process.exitCode = (await main()) ? 0 : 1
