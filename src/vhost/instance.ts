/**
 * An instance of a device: what its module's function made, checked.
 *
 * @module
 */
import { inspect } from 'node:util'
import { invalid, UserWorkerError } from '../errors.js'
import { watch } from '../os/events.js'
import type { Device, DeviceFactory, DeviceHost } from './device.js'

const optional = ['config', 'writeConfig', 'negotiated', 'close'] as const

/** More is never asked for: a virtqueue's number has to fit into a byte of a message. */
const mostVrings = 256

/**
 * Makes an instance.
 *
 * @param url - of the module, for messages
 * @throws UserWorkerError ERR_NO_HANDLER: its default export is no function
 * @throws TypeError EINVAL: what that returned is no device
 * @throws what the function throws
 */
export async function deviceOf(
  url: string,
  module: Readonly<Record<string, unknown>>,
  data: unknown,
  host: DeviceHost,
): Promise<Device> {
  const make = module['default']
  if (typeof make !== 'function') {
    const names = Object.keys(module).join(', ') || 'nothing'
    throw new UserWorkerError(
      'ERR_NO_HANDLER',
      `${url} must export the function that makes its device as default. It exports: ${names}`,
    )
  }
  const device = (await (make as DeviceFactory<unknown>)(data, host)) as Partial<Device> | undefined
  const wrong = wrongIn(device)
  if (wrong !== null) throw invalid(`The device of ${url} is none: ${wrong}`)
  return device as Device
}

/** The configuration space of a device. @throws TypeError EINVAL: it is none */
export function configOf(device: Device, name: string): Uint8Array {
  const config = device.config?.() ?? new Uint8Array()
  if (config instanceof Uint8Array) return config
  throw invalid(`config() of device '${name}' must return a Uint8Array`)
}

/** What the instance gets that serves the socket. */
export function controlHost(name: string, configChanged: () => void): DeviceHost {
  return {
    isControl: true,
    name,
    watch,
    sleepBy: () => {
      throw new Error('The control instance has no sleep: see host.isControl')
    },
    // It has no requests that could be waited for.
    onStop: () => ({ close() {} }),
    configChanged,
  }
}

function wrongIn(device: Partial<Device> | null | undefined): string | null {
  if (typeof device !== 'object' || device === null) return `it is ${inspect(device)}`
  const { id, features = 0n, vrings = 1, process } = device
  if (!Number.isInteger(id)) return 'id must be the number of its kind, as in the specification'
  if (typeof features !== 'bigint' || features < 0n) return 'features must be a bigint of bits'
  if (!Number.isInteger(vrings) || vrings < 1 || vrings > mostVrings) {
    return `vrings must be a whole number from 1 to ${mostVrings}`
  }
  if (typeof process !== 'function') return 'process must be a function'
  const name = optional.find(
    (each) => device[each] !== undefined && typeof device[each] !== 'function',
  )
  return name === undefined ? null : `${name} must be a function`
}
