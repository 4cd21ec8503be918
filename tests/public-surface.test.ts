import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, after, describe, test } from 'node:test'
import { compile, complaintOf, lend, plant, runNode, runProgram } from './consumer.js'
import { exportedNames } from './exported-names.js'
import { consumer } from './public-surface.fixture.js'
import { root } from './root.js'

/** Everything a user can import. A change here is a change for users: it belongs in CHANGELOG.md. */
const surface: Readonly<Record<string, readonly string[]>> = {
  '.': [
    'EINTR',
    'KeySpace',
    'Owner',
    'UserWorker',
    'UserWorkerError',
    'WorkQueue',
    'WorkerReference',
    'carry',
    'drainOnSignal',
    'errorCodes',
    'loop',
    'type AnyModule',
    'type AsyncStore',
    'type Batch',
    'type CancelOutcome',
    'type CancelReport',
    'type Carrier',
    'type CloseReport',
    'type Concurrency',
    'type DrainOptions',
    'type DrainSignal',
    'type ErrorCode',
    'type FreezeOptions',
    'type FreezeReport',
    'type HandlerArgs',
    'type HandlerItem',
    'type HandlerName',
    'type HandlerResult',
    'type HistogramSnapshot',
    'type Laggard',
    'type Loop',
    'type LoopOptions',
    'type MapOptions',
    'type MaxWorkers',
    'type OwnedWorker',
    'type OwnerLimits',
    'type OwnerOptions',
    'type QueueFreezeReport',
    'type QueueLaggard',
    'type QueueStats',
    'type Results',
    'type Self',
    'type SpareOptions',
    'type StateName',
    'type StopOptions',
    'type StoreOptions',
    'type StreamName',
    'type Stuck',
    'type StuckWorker',
    'type TakeBack',
    'type TraceMessage',
    'type UserWorkerOptions',
    'type Work',
    'type WorkOptions',
    'type WorkQueueOptions',
    'type WorkState',
    'type WorkerDescription',
    'type WorkerInfo',
  ],
  './current': [
    'carry',
    'current',
    'transfer',
    'type AsyncStore',
    'type Carrier',
    'type CurrentWork',
    'type StoreOptions',
  ],
  './entry': [],
  './self': [
    'EINTR',
    'WorkerReference',
    'carry',
    'loop',
    'type AsyncStore',
    'type Batch',
    'type Carrier',
    'type Loop',
    'type LoopOptions',
    'type Self',
    'type StoreOptions',
  ],
  './testing': [
    'DriverMemory',
    'Frontend',
    'VirtqueueDriver',
    'protocolFeatures',
    'type Completion',
    'type Descriptor',
    'type DriverBuffer',
    'type DriverMemoryOptions',
    'type FrontendListener',
    'type FrontendMemory',
    'type FrontendOptions',
    'type FrontendQueue',
    'type FrontendRegion',
    'type FrontendSteps',
    'type MappedFile',
    'type RegionLayout',
    'type UsedRequest',
    'type VirtqueueDriverOptions',
  ],
  './vhost': [
    'ServedDevice',
    'ServedDisk',
    'VhostWorker',
    'serve',
    'serveDisk',
    'type Device',
    'type DeviceFactory',
    'type DeviceHost',
    'type DeviceModule',
    'type DiskStats',
    'type FaultOperation',
    'type FaultRule',
    'type Request',
    'type Segments',
    'type ServeDiskOptions',
    'type ServeOptions',
    'type ServedDeviceEvents',
    'type Sleep',
    'type TracedMessage',
    'type VhostWorkerOptions',
  ],
  './package.json': [],
}

interface PackageFile {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly bin: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}

const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageFile

/** What users write to import an export. */
const specifier = (path: string): string => path.replace(/^\./, own.name)

/** A program that prints the names it gets, whichever way it loads them. */
const printing = (load: string): string =>
  `Promise.resolve(${load}).then((m) => console.log(JSON.stringify(Object.keys(m).sort())))`

describe('the package, as users install it', () => {
  const ends: (() => void)[] = []
  let folder = ''
  let packed: readonly string[] = []
  const inPackage = (path: string): string => join(folder, 'node_modules', own.name, path)

  before(async () => {
    const scope = { after: (run: () => void): number => ends.push(run) }
    folder = plant(scope, consumer)
    const npm = async (...args: string[]): Promise<string> => {
      const end = await runProgram('npm', folder, [
        ...args,
        '--ignore-scripts',
        '--cache',
        './.npm',
      ])
      assert.equal(complaintOf(end), '', `npm ${args.join(' ')}`)
      return end.stdout
    }
    const [report] = JSON.parse(await npm('pack', root, '--json', '--pack-destination', '.')) as [
      { filename: string; files: { path: string }[] },
    ]
    packed = report.files.map(({ path }) => path)
    await npm('install', '--offline', '--omit=optional', '--no-save', `./${report.filename}`)
  })
  after(() => {
    for (const end of ends) end()
  })

  test('has the doors that are listed here, and no others', () => {
    assert.deepEqual(Object.keys(own.exports), Object.keys(surface))
  })

  for (const [path, target] of Object.entries(own.exports)) {
    const names = surface[path] ?? []
    const values = names.filter((name) => !name.startsWith('type '))
    if (typeof target === 'string') {
      test(`${specifier(path)} can be read by require() and import`, async () => {
        const name = JSON.stringify(specifier(path))
        const load = `[require(${name}), await import(${name}, { with: { type: 'json' } })]`
        const script = `(async () => { const [a, b] = ${load}; console.log(a.name, b.default.name) })()`
        const { stdout } = await runNode(folder, ['--no-warnings', '--eval', script])
        assert.equal(stdout, `${own.name} ${own.name}\n`)
      })
      continue
    }
    for (const load of path === './entry' ? [] : ['require', 'import']) {
      test(`${specifier(path)} gives ${load} exactly the names listed here, and does nothing else`, async () => {
        const script = printing(`${load}(${JSON.stringify(specifier(path))})`)
        const end = await runNode(folder, ['--input-type=commonjs', '--eval', script])
        assert.equal(complaintOf(end), '')
        assert.deepEqual(JSON.parse(end.stdout), values)
        assert.equal(end.stderr, '')
      })
    }
    test(`${specifier(path)} declares exactly the names and types listed here`, async () => {
      const text = readFileSync(inPackage(target['types'] ?? ''), 'utf8')
      assert.deepEqual(await exportedNames(text), names)
    })
  }

  test('userworker/entry is refused by whatever is no thread of the library, in one sentence', async () => {
    const { code, stderr } = await runNode(folder, ['--eval', "import('userworker/entry')"])
    assert.equal(code, 1)
    assert.match(stderr, /TypeError: 'userworker\/entry' is where the library's threads begin: /)
  })

  test('types a queue from its module, refuses wrong names and arguments, and runs, as ESM and CommonJS', async () => {
    const files = Object.keys(consumer).filter((file) => /\.[cm]ts$/.test(file))
    assert.equal(compile(folder, files), '')
    for (const file of ['main.mjs', 'main.cjs']) {
      const end = await runNode(folder, [file])
      assert.equal(complaintOf(end), '')
      assert.equal(end.stdout, 'sum 5, hello Ada, loud ADA, poller left with 7\n')
    }
  })

  test('has a command that says its version', async (t) => {
    const packages = Object.keys(own.optionalDependencies)
    if (!packages.every((name) => existsSync(join(root, 'node_modules', name))))
      return t.skip(`the project was installed without ${packages.join(', ')}`)
    lend(folder, ...packages)
    for (const name of Object.keys(own.bin)) {
      const bin = join(folder, 'node_modules', '.bin', name)
      const end = await runProgram(bin, folder, ['--version'])
      assert.equal(complaintOf(end), '')
      assert.equal(end.stdout, `${own.version}\n`)
    }
  })

  test('contains no test, contract, fixture or note of the compiler, and nothing from outside', () => {
    const wrong = packed.filter(
      (path) =>
        /\.(test|contract|fixture)\.|tsbuildinfo|tsconfig/.test(path) ||
        !/^((dist|src)\/|(package\.json|README\.md|LICENSE|CHANGELOG\.md)$)/.test(path),
    )
    assert.deepEqual(wrong, [])
  })

  test('contains README, LICENSE and CHANGELOG, every door, and the sources its maps name', () => {
    const targets = [...Object.values(own.exports), own.bin].flatMap((target) =>
      typeof target === 'string' ? target : Object.values(target),
    )
    const maps = packed.filter((path) => path.endsWith('.map'))
    const sources = maps.flatMap((path) => {
      const map = JSON.parse(readFileSync(inPackage(path), 'utf8')) as { sources: string[] }
      return map.sources.map((source) => join(path, '..', source))
    })
    const needed = ['README.md', 'LICENSE', 'CHANGELOG.md', ...targets, ...sources]
    const missing = needed.filter((path) => !packed.includes(path.replace(/^\.\//, '')))
    assert.deepEqual(missing, [])
    assert.ok(sources.length > 0)
  })
})
