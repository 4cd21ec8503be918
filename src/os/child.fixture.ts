/**
 * Child processes of tests, all ended with the test.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** A process with a thread to look at. */
export interface NamedThread {
  pid: number
  tid: number
}

/** Starts a process with one thread of that name, and resolves when the thread bears it. */
export function startNamedThread(
  test: TestContext,
  name: string,
  how?: 'raw',
): Promise<NamedThread> {
  const script = fileURLToPath(new URL('named-thread.fixture.js', import.meta.url))
  const child = spawn(process.execPath, [script, name, ...(how === undefined ? [] : [how])], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  test.after(() => child.kill('SIGKILL'))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`the process ended with exit code ${code}`)))
    child.stdout.once('data', (line) => resolve({ pid: child.pid ?? 0, tid: Number(line) }))
  })
}

/** What a program printed, without the last line end; throws what it complained of if it failed. */
export function output(program: string, args: string[], options: { uid?: number } = {}): string {
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    ...options,
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ended with exit code ${status}: ${stderr.trim()}`)
  return stdout.replace(/\n$/, '')
}

/**
 * The arguments for Node with which a new process prints what an expression over the exports of a
 * module of this folder gives, as text.
 */
export function evaluating(module: string, expression: string): string[] {
  const url = new URL(module, import.meta.url).href
  const script = `import * as it from ${JSON.stringify(url)}; console.log(String(${expression}))`
  return ['--input-type=module', '--eval', script]
}
