/**
 * What the threads of workers load.
 *
 * @module
 */
import { edgesOf, type Edge } from './imports.js'
import { isTestCode, type Tree, type Violation } from './tree.js'

/** What makes workers, and takes all of the owner's side along. */
const ownersSide = 'src/worker/worker.ts'

/**
 * What a thread begins with, named by `new URL('./entry.js', import.meta.url)`, has nothing of the owner's side
 * in it: each thread would load that anew.
 */
export async function checkThreadSides(tree: Tree): Promise<Violation[]> {
  const edges = await edgesOf(tree, (path) => /^src\/(?!cli\/)/.test(path) && !isTestCode(path))
  const beginnings = edges.filter(({ kind, to }) => kind === 'url' && to?.endsWith('.ts') === true)
  return beginnings.flatMap(({ from, line, to }) => {
    const way = wayToOwner(edges, to as string)
    if (way === null) return []
    const message = `its thread loads the owner's side: ${way.join(' → ')}. Import from src/worker/thread-side.ts`
    return [{ file: from, line, message }]
  })
}

/** The files on the shortest way from one to the owner's side; null: there is none. */
function wayToOwner(edges: readonly Edge[], start: string): readonly string[] | null {
  const ways = new Map([[start, [start]]])
  for (const [file, way] of ways) {
    if (file === ownersSide) return way
    for (const { from, to, kind } of edges) {
      if (from === file && kind === 'static' && to !== null && !ways.has(to))
        ways.set(to, [...way, to])
    }
  }
  return null
}
