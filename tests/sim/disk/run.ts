import { disk } from './index.js'
const [first = '0', count = '1'] = process.argv.slice(2)
const isOne = process.argv[4] === 'tell'
const begun = performance.now()
let bad = 0
const faults = new Map<string, number>()
const edges = new Set<string>()
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  const outcome = await disk.run(seed, isOne ? (line) => console.log(line) : undefined)
  for (const [kind] of outcome.faults) faults.set(kind, (faults.get(kind) ?? 0) + 1)
  for (const edge of outcome.edges) edges.add(edge)
  if (outcome.divergences.length > 0) {
    bad++
    if (bad < 12) console.log(seed, outcome.operations, outcome.divergences.slice(0, 2))
  }
}
const ms = performance.now() - begun
const cpu = process.cpuUsage()
console.log({ cpuMsPerSeed: (cpu.user + cpu.system) / 1000 / Number(count), bad, perSecond: (Number(count) / ms) * 1000 })
console.log([...faults].sort().map(([k, n]) => `${k}: ${((100 * n) / Number(count)).toFixed(0)}%`).join(', '))
if (process.argv[4] === 'edges') console.log([...edges].sort().join('\n'))
