/**
 * The guest that the command itself boots, as somebody at a terminal has it.
 *
 * @module
 */
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from '../root.js'
import { start, until } from './processes.js'
import { booting, expect, expectSame, type Setting } from './setting.js'

const prompt = '/ # '
const bootMs = 90_000

export async function boot({ course, folder }: Setting): Promise<void> {
  await course.step(booting, async () => {
    const command = join(root, 'dist/cli/main.js')
    const places = [join(folder, 'new.img'), '--socket', join(folder, 'new.sock')]
    const args = [command, 'serve-disk', ...places, '--create', '8M', '--boot']
    const child = start(process.execPath, args, ['pipe', 'pipe', 'inherit'])
    const ended = once(child, 'exit')
    let said = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    await until('there is a shell', () => said.includes(prompt), bootMs)
    child.stdin?.write('mkfs.ext4 -q /dev/vda && mount /dev/vda /mnt && df /mnt; poweroff -f\n')
    const [code] = (await ended) as [number | null]
    expectSame('exit code', code ?? undefined, 0)
    expect(/^\/dev\/vda +\d+ .* \/mnt\r?$/m.test(said), said)
  })
}
