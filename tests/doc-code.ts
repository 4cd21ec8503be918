/**
 * Runs the code of a document. A fenced block takes part when its info string names a file:
 *
 * | info string                  | means                                                        |
 * | ---------------------------- | ------------------------------------------------------------ |
 * | `js file=resize.mjs`         | the block is written to that file                            |
 * | `ts file=main.ts run`        | and run, TypeScript after compiling; it must exit with code 0 |
 * | `text output`                | what the block run before it prints, exactly                 |
 *
 * All blocks of a document lie in one folder, so that they can import each other.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile, complaintOf, lendThis, plant, runNode, type Scope } from './consumer.js'
import { documentOf, type Block } from './markdown.js'

interface Program {
  readonly line: number
  readonly file: string
  readonly text: string
  readonly run: boolean
  /** What it must print, where the document says so. */
  output: string | null
}

/**
 * Runs the code of a document.
 *
 * @returns what is wrong, each with its place in the document
 */
export async function runCodeOf(scope: Scope, document: string, text: string): Promise<string[]> {
  const at = (line: number, what: string): string => `${document}:${line}: ${what}`
  const problems: string[] = []
  const programs = programsOf(documentOf(text).blocks, (line, what) =>
    problems.push(at(line, what)),
  )
  const typed = programs.filter(({ file }) => /\.[cm]?ts$/.test(file)).map(({ file }) => file)
  if (problems.length > 0 || programs.length === 0) return problems
  const folder = plant(scope, { 'package.json': '{ "type": "module", "private": true }' })
  lendThis(folder)
  for (const program of programs) writeFileSync(join(folder, program.file), program.text)
  const complaint = typed.length === 0 ? '' : compile(folder, typed)
  if (complaint !== '') return [at(1, `its TypeScript does not compile:\n${complaint}`)]
  for (const { line, file, run, output } of programs) {
    if (!run) continue
    const end = await runNode(folder, [file.replace(/\.([cm]?)ts$/, '.$1js')])
    const wrong = complaintOf(end)
    if (wrong !== '') problems.push(at(line, `${file} ${wrong}`))
    else if (output !== null && output !== end.stdout)
      problems.push(at(line, `${file} must print\n${output}and prints\n${end.stdout}`))
  }
  return problems
}

/** The programs of a document; `object` is told of blocks that make no sense. */
function programsOf(
  blocks: readonly Block[],
  object: (line: number, what: string) => void,
): Program[] {
  const programs: Program[] = []
  let last: Program | null = null
  for (const { line, info, text } of blocks) {
    const words = info.split(/\s+/)
    const file = words.find((word) => word.startsWith('file='))?.slice('file='.length)
    if (words.includes('output')) {
      if (last === null || last.output !== null) object(line, 'an output, but of which program?')
      else last.output = text
      continue
    }
    const unknown = words.slice(1).filter((word) => word !== 'run' && !word.startsWith('file='))
    if (file === undefined) {
      if (words.includes('run')) object(line, 'a program to run needs a name: file=main.mjs')
      continue
    }
    if (unknown.length > 0) object(line, `there is no '${unknown.join(' ')}': write file=… and run`)
    if (!/^[\w-]+(\.[\w-]+)*\.([cm]?[jt]s|json)$/.test(file))
      object(line, `${file} is no plain file name of a program`)
    if (programs.some((other) => other.file === file)) object(line, `there are two of ${file}`)
    const program = { line, file, text, run: words.includes('run'), output: null }
    programs.push(program)
    if (program.run) last = program
  }
  return programs
}
