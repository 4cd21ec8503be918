/**
 * `npm run sim`: worlds in which chance decides everything, by a seed.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { Census } from './census.js'
import type { World } from './world.js'
import { worlds } from './worlds.js'

const usage = `npm run sim -- [SEED] [options]

  SEED          tell each step of this seed
  --seeds N     so many seeds; default 500
  --from S      from this seed on; default 1
  --world NAME  one of ${worlds.map(({ name }) => name).join(', ')}; default: all
  --json        print the findings as JSON, and nothing else`

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    world: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** A seed, or a number of seeds; anything else ends the program. */
function numberOf(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number < 2 ** 32) return number
  console.error(`${text} is no number from 0 to 4294967295\n\n${usage}`)
  process.exit(2)
}

const chosen = worlds.filter(({ name }) => (options.world ?? name) === name)

async function tellOne(world: World, seed: number): Promise<boolean> {
  const { operations, digest, divergences } = await world.run(seed, (line) => console.log(line))
  console.log(`${world.name}: seed ${seed}, ${operations} operations, digest ${digest}`)
  for (const each of divergences) console.log(`  ${each}`)
  return divergences.length === 0
}

async function runMany(world: World, from: number, count: number): Promise<Census> {
  const census = new Census(world)
  for (let seed = from; seed < from + count; seed++) census.add(seed, await world.run(seed))
  return census
}

function print(census: Census): void {
  const { world, seeds, operations, divergences, faults, findings, unreached } = census
  const reached = world.edges.length - unreached.length
  const shares = Object.entries(faults).map(([kind, share]) => `${kind} ${percent(share)}`)
  console.log(
    `${world.name}: ${seeds} seeds, ${operations} operations, ${divergences} divergences; ` +
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
  const { world, seeds, operations, fewest, divergences, faults, findings } = census
  const { unreached, faulty, digest } = census
  const edges = {
    reached: world.edges.length - unreached.length,
    of: world.edges.length,
    unreached,
  }
  const figures = { seeds, operations, fewest, divergences, faults, edges, digest }
  return { world: world.name, ...figures, findings, faulty }
}

async function main(): Promise<boolean> {
  const [seed] = positionals
  let isRight = true
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
