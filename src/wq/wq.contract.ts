/**
 * What every version of WorkQueue promises, through the public API alone. One file in `contract/`
 * for each topic.
 *
 * @module
 */
import { describe } from 'node:test'
import { cancelContract } from './contract/cancel.contract.js'
import { classesContract } from './contract/classes.contract.js'
import { closeContract } from './contract/close.contract.js'
import { deathContract } from './contract/death.contract.js'
import { errorsContract } from './contract/errors.contract.js'
import { keysContract } from './contract/keys.contract.js'
import { modulesContract } from './contract/modules.contract.js'
import { runningContract } from './contract/running.contract.js'
import { signalContract } from './contract/signal.contract.js'
import { valuesContract } from './contract/values.contract.js'
import { leaveOut, type LeftOut, type Make } from './contract/support.fixture.js'

/**
 * The suite, on the queues that `make` gives.
 *
 * @param without - titles of tests that are left out, and why
 */
export function workQueueContract(make: Make, without: LeftOut = {}): void {
  leaveOut(without)
  describe('running', () => runningContract(make))
  describe('values', () => valuesContract(make))
  describe('errors', () => errorsContract(make))
  describe('modules', () => modulesContract(make))
  describe('classes and maxima', () => classesContract(make))
  describe('keys', () => keysContract(make))
  describe('cancelling', () => cancelContract(make))
  describe('signals', () => signalContract(make))
  describe('dying threads', () => deathContract(make))
  describe('closing', () => closeContract(make))
}
