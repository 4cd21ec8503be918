/**
 * Links from one document to another file of the project.
 *
 * @module
 */
import { posix } from 'node:path'
import { anchorsOf, documentOf } from '../markdown.js'
import { folderOf, foldersOf, type Tree, type Violation } from './tree.js'

/** Every relative link of every Markdown file leads to a file or folder, and to a heading where it names one. */
export function checkLinks(tree: Tree): Violation[] {
  const violations: Violation[] = []
  const folders = new Set(foldersOf(tree))
  for (const [file, text] of tree) {
    if (!file.endsWith('.md')) continue
    for (const [index, line] of documentOf(text).prose.entries()) {
      for (const target of targetsOf(line)) {
        const message = dead(tree, folders, file, target)
        if (message !== null) violations.push({ file, line: index + 1, message })
      }
    }
  }
  return violations
}

/** Where a line's links lead: `[…](target)`, `![…](target)`, `[name]: target`, `href="target"`. */
function targetsOf(line: string): string[] {
  const prose = line.replace(/(`+)(?!`).*?[^`]\1(?!`)/g, (code) => 'x'.repeat(code.length))
  const inline = [...prose.matchAll(/\]\(\s*(?:<([^>]*)>|((?:[^\s()]|\([^\s()]*\))*))/g)]
  const named = [...prose.matchAll(/^ {0,3}\[[^\]^][^\]]*\]:\s+(?:<([^>]*)>|(\S+))/g)]
  const tags = [...prose.matchAll(/<(?:a|img|source)\s[^>]*?(?:href|src|srcset)="([^"]*)"()/g)]
  return [...inline, ...named, ...tags].map(([, a, b]) => (a ?? '') || (b ?? ''))
}

function dead(tree: Tree, folders: Set<string>, from: string, target: string): string | null {
  if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target)) return null
  const [encoded = '', encodedAnchor] = target.split(/#(.*)/s)
  const path = decoded(encoded)
  if (target === '') return 'a link that leads nowhere: name its target'
  if (path.startsWith('/')) return `a link to ${path}: write the path from this file's folder`
  const to = path === '' ? from : posix.join(folderOf(from), path).replace(/\/$/, '')
  if (to === '..' || to.startsWith('../'))
    return `a link out of the project, to ${to}: link to a web page`
  if (to === '.' || folders.has(to))
    return encodedAnchor === undefined ? null : noHeading(to, encodedAnchor)
  const text = tree.get(to)
  if (text === undefined)
    return `a link to ${to}, which is not there: correct the path, or write the file`
  return encodedAnchor === undefined || hasAnchor(to, text, decoded(encodedAnchor))
    ? null
    : noHeading(to, encodedAnchor)
}

function noHeading(to: string, anchor: string): string {
  return `a link to #${anchor} of ${to}, which has no such heading: correct the link`
}

/** A heading of a document, or lines of any other file: `#L3`, `#L3-L5`. */
function hasAnchor(path: string, text: string, anchor: string): boolean {
  if (path.endsWith('.md')) return anchorsOf(documentOf(text)).has(anchor)
  const [, first, last = first] = /^L(\d+)(?:-L(\d+))?$/.exec(anchor) ?? []
  return first !== undefined && Math.max(Number(first), Number(last)) <= text.split('\n').length
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
