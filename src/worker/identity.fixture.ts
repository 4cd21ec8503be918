/**
 * Who a thread is, as the system sees it.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { getPriority } from 'node:os'

/** What the system knows of a thread, by name. */
export type Identity = Record<string, string>

/** The lines of /proc/PID/status that say who a thread is, and not what it is doing. */
const ofStatus =
  /^(N?S?[Tt]gid|[UG]id|Groups|Umask|NoNewPrivs|Seccomp|Cap\w+|Sig(?:Ign|Cgt)|\w+_allowed_list):\s*(.*)$/gm

const texts = ['limits', 'cgroup', 'loginuid', 'sessionid', 'oom_score_adj', 'uid_map', 'gid_map']
const links = ['cwd', 'root', 'exe']

/** Who the calling thread is; or the first thread of its process. */
export function identityOf(whose: 'thread' | 'process'): Identity {
  const folder = whose === 'thread' ? '/proc/thread-self' : '/proc/self'
  const status = readFileSync(`${folder}/status`, 'utf8').matchAll(ofStatus)
  const namespaces = readdirSync(`${folder}/ns`).map((name) => `ns/${name}`)
  return {
    nice: String(getPriority(whose === 'thread' ? 0 : process.pid)),
    ...Object.fromEntries([...status].map(([, name, value]) => [name, value])),
    ...Object.fromEntries(texts.map((name) => [name, textIn(`${folder}/${name}`)])),
    ...Object.fromEntries(
      [...links, ...namespaces].map((name) => [name, readlinkSync(`${folder}/${name}`)]),
    ),
  }
}

/** A kernel that was built without one of them has no such file. */
function textIn(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return 'not there'
  }
}
