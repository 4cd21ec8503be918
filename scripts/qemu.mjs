// `npm run qemu`: Linux on our disk, under QEMU.
import { status } from './bootstrap.mjs'

export function qemu(args) {
  return status(process.execPath, ['--enable-source-maps', 'build/tests/qemu/main.js', ...args])
}
