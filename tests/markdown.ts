/**
 * The parts of a Markdown document: its prose, line by line, and its fenced blocks.
 *
 * @module
 */

/** A fenced block. */
export interface Block {
  /** The line of the opening fence, counted from 1. */
  readonly line: number
  /** What stands behind the opening fence: the language first. */
  readonly info: string
  /** What is inside, each line with its end. */
  readonly text: string
}

/** A document, taken apart. */
export interface Document {
  /** As many lines as the document has; those of fenced blocks and of comments are empty. */
  readonly prose: readonly string[]
  readonly blocks: readonly Block[]
}

/** Takes a document apart. A fence may be indented, as in a list; a block that is not closed goes to the end. */
export function documentOf(text: string): Document {
  const prose: string[] = []
  const blocks: Block[] = []
  let open: { line: number; info: string; indent: number; end: RegExp; text: string } | null = null
  for (const [index, line] of withoutComments(text).split(/\r?\n/).entries()) {
    if (open !== null) {
      prose.push('')
      if (open.end.test(line)) {
        blocks.push(open)
        open = null
      } else open.text += `${line.replace(new RegExp(`^ {0,${open.indent}}`), '')}\n`
      continue
    }
    const [, indent = '', fence, info = ''] = /^( *)(`{3,}|~{3,})([^`]*)$/.exec(line) ?? []
    prose.push(fence === undefined ? line : '')
    if (fence === undefined) continue
    const end = new RegExp(`^ *${fence[0]}{${fence.length},} *$`)
    open = { line: index + 1, info: info.trim(), indent: indent.length, end, text: '' }
  }
  if (open !== null) blocks.push(open)
  return {
    prose,
    blocks: blocks.map(({ line, info, text: inside }) => ({ line, info, text: inside })),
  }
}

/** The headings of a document as GitHub and npm name them in links: `#two-words`; and anchors of its own. */
export function anchorsOf({ prose }: Document): Set<string> {
  const anchors = new Set<string>()
  const seen = new Map<string, number>()
  for (const [index, line] of prose.entries()) {
    for (const [, name = ''] of line.matchAll(/<a\s[^>]*?(?:id|name)="([^"]+)"/g)) anchors.add(name)
    const underlined = /^(=+|-+) *$/.test(prose[index + 1] ?? '') && /^\s{0,3}[^\s>#|-]/.test(line)
    const heading = /^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/.exec(line)?.[1] ?? (underlined ? line : null)
    if (heading === null) continue
    const name = anchorOf(heading)
    const times = seen.get(name) ?? 0
    seen.set(name, times + 1)
    anchors.add(times === 0 ? name : `${name}-${times}`)
  }
  return anchors
}

function anchorOf(heading: string): string {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]*>/g, '')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\s-]/gu, '')
    .replace(/\s/g, '-')
}

/** The same lines, with nothing in those of HTML comments, which a fence would otherwise hide in. */
function withoutComments(text: string): string {
  let fence = ''
  let inside = false
  const lines = text.split('\n').map((line) => {
    const [, mark = ''] = /^ *(`{3,}|~{3,})/.exec(line) ?? []
    if (!inside && mark !== '') {
      if (fence === '') fence = mark
      else if (mark.startsWith(fence) && /^ *[`~]+\s*$/.test(line)) fence = ''
    }
    if (fence !== '') return line
    let rest = line
    let kept = ''
    for (;;) {
      const at = rest.indexOf(inside ? '-->' : '<!--')
      if (!inside) kept += at < 0 ? rest : rest.slice(0, at)
      if (at < 0) return kept
      rest = rest.slice(at + (inside ? 3 : 4))
      inside = !inside
    }
  })
  return lines.join('\n')
}
