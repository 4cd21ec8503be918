#!/usr/bin/env node
/**
 * The command `userworker`. Exit codes: 0, 2 for a wrong call or a system that cannot do it, and
 * what a command of its own gives.
 *
 * The packages of the command line are optional, so this file imports none of them before it runs.
 *
 * @module
 */
import { readFileSync } from 'node:fs'

const packages = ['commander', 'cli-progress', 'console-table-printer']

async function main(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endIfNobodyReads)
  const parts = await loadParts()
  if (parts === null) return
  const { Command, CommanderError, addPsCommand, addDemoCommand, addServeDiskCommand } = parts
  const program = new Command('userworker')
    .description('Worker threads that belong to the thread they work for')
    .version(version())
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error:/, 'userworker:')),
    })
  addPsCommand(program)
  addDemoCommand(program)
  addServeDiskCommand(program)
  try {
    await program.parseAsync()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = exitCodeOf(error)
  }
}

async function loadParts() {
  try {
    const { Command, CommanderError } = await import('commander')
    const { addPsCommand } = await import('./ps.js')
    const { addDemoCommand } = await import('./demo/index.js')
    const { addServeDiskCommand } = await import('./serve-disk/index.js')
    return { Command, CommanderError, addPsCommand, addDemoCommand, addServeDiskCommand }
  } catch (error) {
    if (!isMissingPackage(error)) throw error
    const named = packages.join(', ')
    const install = `npm install ${packages.join(' ')}`
    process.stderr.write(`userworker: the command line needs the packages ${named}: ${install}\n`)
    process.exitCode = 2
    return null
  }
}

function isMissingPackage(error: unknown): boolean {
  const message = error instanceof Error && 'code' in error ? error.message : ''
  return packages.some((name) => message.startsWith(`Cannot find package '${name}'`))
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  const description: { version: string } = JSON.parse(readFileSync(file, 'utf8'))
  return description.version
}

/**
 * A command that fails chooses its exit code; what commander itself finds wrong is a wrong call.
 */
function exitCodeOf(error: { code: string; exitCode: number }): number {
  if (error.code === 'commander.error') return error.exitCode
  return error.exitCode === 0 ? 0 : 2
}

/** `userworker ps | head -1`: the reader has what it wanted. */
function endIfNobodyReads(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit()
}

void main()
