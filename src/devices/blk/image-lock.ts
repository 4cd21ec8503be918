/**
 * Locks on images, the way QEMU and its tools have them: so we and they keep out of each other's way.
 *
 * @module
 */
import { isLockedByOther, lockByte } from '../../os/file-io.js'

/**
 * The bytes from 100 on say what their holder does, those from 200 on what he bears nobody else to do.
 */
const permissionByte = 100
const refusalByte = 200
const consistentRead = 0
const write = 1
const resize = 3

/**
 * Takes the locks of an image; they are the open file's, and go with it. Those who only read share it.
 *
 * @returns false: another program has it in a way that does not go together with this
 */
export function lockImage(fd: number, readOnly: boolean): boolean {
  const does = readOnly ? [consistentRead] : [consistentRead, write]
  const refuses = [write, resize]
  // All are shared locks: whoever comes second sees the other's, whichever way they go.
  return (
    does.every((bit) => lockByte(fd, permissionByte + bit)) &&
    refuses.every((bit) => lockByte(fd, refusalByte + bit)) &&
    !does.some((bit) => isLockedByOther(fd, refusalByte + bit)) &&
    !refuses.some((bit) => isLockedByOther(fd, permissionByte + bit))
  )
}
