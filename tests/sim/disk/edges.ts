/**
 * The edges of the state tables of a session and its vrings, as far as a frontend can take them.
 *
 * @module
 */
import { rules } from './table.js'

const owned = Object.keys(rules).filter((name) => rules[name]?.[0] === true)
const withFeature = Object.keys(rules).filter((name) => rules[name]?.[1] !== undefined)
const always = Object.keys(rules).filter((name) => rules[name]?.[0] === false)

/** What the rules of each request make of it, wherever it comes. */
const admitted = [
  ...owned.map((name) => `session new: ${name} refused`),
  ...Object.keys(rules)
    .filter((name) => name !== 'SET_OWNER')
    .map((name) => `session owned: ${name} done`),
  ...withFeature.flatMap((name) => [`session new: ${name} end`, `session owned: ${name} end`]),
  ...always.map((name) => `session new: ${name} done`),
]

/** What is wrong whether the device has an owner or not. */
const atAnyTime: readonly string[] = [
  'SET_OWNER refused',
  'SET_CONFIG refused',
  'SET_FEATURES end',
  'SET_PROTOCOL_FEATURES end',
  'SEND_RARP end',
  'POSTCOPY_LISTEN end',
]

/** What is wrong with a request by itself, or at its time. */
const wrong: Readonly<Record<string, readonly string[]>> = {
  'session new': atAnyTime,
  'session owned': [
    ...atAnyTime,
    'SET_MEM_TABLE refused',
    'ADD_MEM_REG refused',
    'REM_MEM_REG refused',
    'GET_INFLIGHT_FD refused',
    'SET_VRING_NUM refused',
    'SET_VRING_NUM end',
    'SET_VRING_BASE refused',
    'SET_VRING_ADDR refused',
    'SET_VRING_ENABLE end',
    'GET_VRING_BASE end',
  ],
}

/** By what a vring comes from one state into another. */
const vrings: Readonly<Record<string, readonly string[]>> = {
  'stopped to running': [
    'SET_VRING_NUM',
    'SET_VRING_BASE',
    'SET_VRING_ADDR',
    'SET_VRING_KICK',
    'SET_VRING_ENABLE',
    'SET_MEM_TABLE',
    'ADD_MEM_REG',
    'REM_MEM_REG',
    'SET_INFLIGHT_FD',
    'SET_FEATURES',
  ],
  'running to stopped': [
    'SET_VRING_KICK',
    'SET_VRING_ENABLE',
    'GET_VRING_BASE',
    'SET_MEM_TABLE',
    'ADD_MEM_REG',
    'REM_MEM_REG',
    'SET_INFLIGHT_FD',
    'SET_FEATURES',
    'SET_STATUS',
    'RESET_DEVICE',
    'RESET_OWNER',
  ],
  'running to broken': [
    'SET_MEM_TABLE',
    'ADD_MEM_REG',
    'REM_MEM_REG',
    'GET_VRING_BASE',
    'SET_STATUS',
    'RESET_DEVICE',
  ],
  'broken to stopped': ['GET_VRING_BASE', 'SET_STATUS', 'RESET_DEVICE'],
}

const listed = (of: Readonly<Record<string, readonly string[]>>, prefix: string): string[] =>
  Object.entries(of).flatMap(([from, ends]) => ends.map((end) => `${prefix}${from}: ${end}`))

/** Each of them once. */
export const edges: readonly string[] = [
  ...new Set([
    ...admitted,
    ...listed(wrong, ''),
    ...listed(vrings, 'vring '),
    'session: malformed end',
  ]),
]
