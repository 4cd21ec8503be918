import { worldOf } from './index.js'
import { mutants } from './mutants.js'
const most = Number(process.argv[2] ?? 60)
const names = process.argv.slice(3)
for (const mutant of mutants) {
  if (names.length > 0 && !names.some((name) => mutant.name.includes(name))) continue
  const world = worldOf(mutant)
  let found: string | null = null
  for (let seed = 1; seed <= most && found === null; seed++) {
    const { divergences } = await world.run(seed)
    if (divergences[0] !== undefined) found = `seed ${seed}: ${divergences[0].split('\n')[0]}`
  }
  console.log(`${mutant.name}: ${found}`)
}
