/**
 * Finds the cgroup of the calling thread in the file system; cgroups(7).
 *
 * A system has version 1 hierarchies (one mount for each controller or for a few), the one version
 * 2 hierarchy (all controllers), or both at once ("hybrid"). A controller serves one of them only,
 * so looking at all of them finds its files wherever they are.
 *
 * @module
 */
import { join } from 'node:path'
import { ownText, systemRoot } from './pseudo-file.js'

/** One mount of a hierarchy: what `root` of the hierarchy shows at `point` of the file system. */
interface Mount {
  version: 1 | 2
  root: string
  point: string
  options: string[]
}

/**
 * The folders of the calling thread's cgroup and of those above it, as far up as they can be seen:
 * every limit of a cgroup holds for all below it.
 *
 * @param controller - a controller's name, such as `cpu` or `pids`
 * @returns for each hierarchy that may have the controller the innermost cgroup first, as paths
 * within `root`; empty without cgroups
 */
export function cgroupFolders(controller: string, root: string = systemRoot): string[] {
  return mounts(ownText('mountinfo', root) ?? '')
    .filter((mount) => mount.version === 2 || mount.options.includes(controller))
    .flatMap((mount) => {
      const cgroup = pathInHierarchy(mount.version, controller, root)
      const seen = cgroup === null ? null : below(mount.root, cgroup)
      return seen === null ? [] : upwards(seen).map((folder) => join(mount.point, folder))
    })
}

/** Where in a hierarchy we are, as /proc/PID/cgroup says: a line is `id:controllers:path`. */
function pathInHierarchy(version: 1 | 2, controller: string, root: string): string | null {
  for (const line of (ownText('cgroup', root) ?? '').split('\n')) {
    const [, id, controllers = '', path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? []
    const found = version === 2 ? id === '0' : controllers.split(',').includes(controller)
    if (found && path !== undefined) return path
  }
  return null
}

/**
 * The mounts of cgroup hierarchies among the lines of /proc/PID/mountinfo; proc_pid_mountinfo(5).
 */
function mounts(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap((line): Mount[] => {
    const [place = '', system = ''] = line.split(' - ')
    const [type, , options = ''] = system.split(' ')
    const [, , , root, point] = place.split(' ').map(unescapeOctal)
    if (root === undefined || point === undefined) return []
    if (type !== 'cgroup' && type !== 'cgroup2') return []
    return [{ version: type === 'cgroup' ? 1 : 2, root, point, options: options.split(',') }]
  })
}

/** In mountinfo a space, tab, line end or backslash is `\` and three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}

/**
 * The part of `cgroup` below `root`, or `null` if a mount of `root` does not show it.
 *
 * Both count from the root of our cgroup namespace, so either may begin with `/..`. A mount whose
 * root is nothing but that shows cgroups above our namespace, without telling by which names we
 * stand below them: of such a mount only its top is known to be ours.
 */
function below(root: string, cgroup: string): string | null {
  if (root === '/') return isAbove(cgroup) ? null : cgroup
  if (cgroup === root || cgroup.startsWith(`${root}/`)) return cgroup.slice(root.length)
  return /^(\/\.\.)+$/.test(root) && !isAbove(cgroup) ? '' : null
}

function isAbove(cgroup: string): boolean {
  return cgroup === '/..' || cgroup.startsWith('/../')
}

/** `/a/b`, `/a` and the empty path for `/a/b`. */
function upwards(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '')
  return [...names.keys(), names.length]
    .toReversed()
    .map((count) => names.slice(0, count).join('/'))
}
