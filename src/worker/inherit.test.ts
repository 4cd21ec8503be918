import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { inheritedExecArgv } from './inherit.js'
import { checkForLeaks } from './leaks.fixture.js'

checkForLeaks()

describe('the options of Node for a thread', () => {
  test('are those of the process, by doing nothing, when all of them suit a thread', () => {
    assert.equal(inheritedExecArgv([]), undefined)
    assert.equal(inheritedExecArgv(['--import', 'x', '--max-old-space-size=100']), undefined)
  })

  test('lose those that say what the process runs, and keep those that load modules', () => {
    const own = [
      '--import',
      './a.mjs',
      '--input-type=module',
      '-C',
      'dev',
      '--require=./b.cjs',
      '-e',
      'code',
      '--enable-source-maps',
    ]
    assert.deepEqual(inheritedExecArgv(own), [
      '--import',
      './a.mjs',
      '-C',
      'dev',
      '--require=./b.cjs',
      '--enable-source-maps',
    ])
  })

  test('let a program given on the command line make workers', () => {
    const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
    for (const [type, load] of [
      ['--input-type=module', `import { UserWorker } from ${index};`],
      ['--input-type=commonjs', `const { UserWorker } = require(new URL(${index}).pathname);`],
    ]) {
      const code = `${load} UserWorker.create('data:text/javascript,export default () => console.log("made")')
        .then((worker) => worker.start().then(() => worker.join()))`
      const out = execFileSync(process.execPath, [`${type}`, '--no-warnings', '-e', code], {
        encoding: 'utf8',
      })
      assert.equal(out, 'made\n')
    }
  })
})
