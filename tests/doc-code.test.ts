import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { runCodeOf } from './doc-code.js'

const fence = (info: string, ...lines: string[]): string =>
  `\n\`\`\`${info}\n${lines.map((line) => `${line}\n`).join('')}\`\`\`\n`

const run = (t: TestContext, ...parts: string[]): Promise<string[]> =>
  runCodeOf(t, 'page.md', `# A page\n${parts.join('')}`)

const twice = fence('js file=twice.mjs', 'export function twice(n) {', '  return 2 * n', '}')
const main = (then: string): string[] => [
  "import { WorkQueue } from 'userworker'",
  "const queue = new WorkQueue(new URL('./twice.mjs', import.meta.url))",
  `try { ${then} } finally { await queue.close() }`,
]
const printsSix = fence(
  'js file=main.mjs run',
  ...main("console.log(await queue.run('twice', [3]))"),
)

describe("the runner of a document's code", () => {
  test('runs programs that import the package, each other, and files shown later', async (t) => {
    assert.deepEqual(await run(t, printsSix, fence('text output', '6'), twice), [])
  })

  test('objects to any other output, and shows both', async (t) => {
    const [problem, ...more] = await run(t, twice, printsSix, fence('text output', '6', '7'))
    assert.equal(problem, 'page.md:9: main.mjs must print\n6\n7\nand prints\n6\n')
    assert.deepEqual(more, [])
  })

  test('objects to a program that fails, and goes on to the next', async (t) => {
    const fails = fence('js file=a.mjs run', "throw new Error('no such luck')")
    const exits = fence('js file=b.mjs run', 'process.exit(3)')
    const [first = '', second = '', ...more] = await run(t, fails, exits)
    assert.match(first, /^page\.md:3: a\.mjs ended with exit code 1\n[^]*no such luck/)
    assert.match(second, /^page\.md:7: b\.mjs ended with exit code 3/)
    assert.deepEqual(more, [])
  })

  test('compiles TypeScript strictly, with the types of the package', async (t) => {
    const typed = fence('ts file=twice.ts', 'export const twice = (n: number): number => 2 * n')
    const use = (args: string): string =>
      fence(
        'ts file=main.ts run',
        "import { WorkQueue } from 'userworker'",
        "const url = new URL('./twice.js', import.meta.url)",
        "await using queue = new WorkQueue<typeof import('./twice.js')>(url)",
        `console.log(await queue.run('twice', ${args}))`,
      )
    assert.deepEqual(await run(t, typed, use('[4]'), fence('text output', '8')), [])
    const [problem = ''] = await run(t, typed, use("['four']"))
    assert.match(problem, /^page\.md:1: its TypeScript does not compile:\n.*main\.ts\(4,/)
  })

  test('leaves blocks without a file name alone', async (t) => {
    assert.deepEqual(await run(t, fence('js', 'this is no program'), fence('', 'nor this')), [])
  })

  test('objects to blocks that make no sense', async (t) => {
    for (const [text, message] of [
      [fence('js run', ''), 'a program to run needs a name'],
      [fence('text output', ''), 'of which program'],
      [printsSix + fence('text output', '6') + fence('text output', '7'), 'of which program'],
      [twice + twice, 'there are two of twice.mjs'],
      [fence('js file=../a.mjs', ''), '../a.mjs is no plain file name'],
      [fence('js file=a.sh', ''), 'a.sh is no plain file name'],
      [fence('js file=a.mjs ruhn', ''), "there is no 'ruhn'"],
    ] as const) {
      const [first = 'no problem'] = await run(t, text)
      assert.match(first, /^page\.md:\d+: /)
      assert.ok(first.includes(message), first)
    }
  })
})
