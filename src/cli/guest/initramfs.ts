/**
 * The first file system of a guest: busybox, the modules of the kernel, and a few more programs.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { archiveOf, type Entry } from './cpio.js'
import { findProgram, type Kernel } from './system.js'

/** The word on the kernel's command line that asks for a guest that takes commands from a program. */
export const channelWord = 'commands'

/**
 * The first program of the guest. Commands come as lines of base64 on the second serial port; the
 * answer is a line with the exit status and, in base64, what was printed.
 */
const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/sbin:/bin HOME=/
cd /
mount -t devtmpfs none dev
mount -t proc none proc
mount -t sysfs none sys
mount -t tmpfs -o size=90% none tmp
for file in $(cat modules/order); do
  case $file in *.xz) xzcat modules/$file > tmp/module; file=../tmp/module ;; esac
  insmod modules/$file
done
rm -f tmp/module
read -r line < proc/cmdline
case " $line " in
  *" ${channelWord} "*) ;;
  *)
    echo
    echo "A guest with the disk at /dev/vda. Leave it by: poweroff -f"
    while :; do setsid cttyhack sh; done ;;
esac
stty -F dev/ttyS1 raw -echo
exec 3<> dev/ttyS1
echo ready >&3
while read -r text <&3; do
  echo "$text" | base64 -d > tmp/command
  sh tmp/command > tmp/output 2>&1 < dev/null 3>&-
  echo "$? $(base64 -w 0 tmp/output)" >&3
done
`

/** The archive for a kernel, with further programs of this system by name. */
export function initramfs(kernel: Kernel, programs: readonly string[] = []): Buffer {
  const order = kernel.modules.map((file) => basename(file)).join('\n')
  const entries: Entry[] = [
    ...['dev', 'proc', 'sys', 'tmp', 'mnt'].map((path) => ({ path, kind: 'folder' }) as const),
    { path: 'init', kind: 'file', content: init },
    { path: 'modules/order', kind: 'file', content: `${order}\n` },
    ...kernel.modules.map((file) => copyOf(file, `modules/${basename(file)}`)),
    // Programs of busybox lie in bin/, those of the system come first by a folder of their own.
    ...['busybox', ...programs].flatMap((name) => programEntries(name)),
  ]
  return archiveOf(entries)
}

/** A program and the libraries it loads, where it is not static. */
function programEntries(name: string): Entry[] {
  const file = findProgram(name)
  if (file === null) throw new Error(`there is no program '${name}'`)
  const folder = name === 'busybox' ? 'bin' : 'sbin'
  const { stdout } = spawnSync('ldd', [file], { encoding: 'utf8' })
  const libraries = [...stdout.matchAll(/(?:^|\s)(\/\S+) \(0x/gm)].map(([, path = '']) => path)
  return [
    copyOf(file, `${folder}/${name}`),
    ...libraries.map((path) => copyOf(path, path.slice(1))),
  ]
}

const copyOf = (file: string, path: string): Entry => ({
  path,
  kind: 'file',
  content: readFileSync(realpathSync(file)),
})
