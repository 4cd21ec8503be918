/**
 * One session of vhost-user: what a frontend may say, and what it leads to. A session lasts as long as
 * its connection. It has its frontend's requests one at a time, each when all that the one before led to
 * is done.
 *
 * | request                                  | when         | what happens                                   |
 * | ---------------------------------------- | ------------ | ---------------------------------------------- |
 * | GET_FEATURES                             | always       | the device's, and those of the protocol        |
 * | SET_FEATURES                             | always       | taken, all vrings paused; an unknown bit: END  |
 * | GET_, SET_PROTOCOL_FEATURES              | always       | likewise                                       |
 * | GET_QUEUE_NUM                            | always       | how many vrings the device has                 |
 * | SET_OWNER                                | not owned    | owned: the device's threads are there          |
 * |                                          | owned        | REFUSED (EBUSY)                                |
 * | RESET_OWNER                              | owned        | not owned: vrings, memory, threads are gone    |
 * | RESET_DEVICE                             | owned        | vrings as at the beginning, status 0           |
 * | SET_STATUS, GET_STATUS                   | owned STATUS | kept and given back; 0 halts all vrings        |
 * | SET_MEM_TABLE                            | owned        | the memory, all vrings paused                  |
 * | GET_MAX_MEM_SLOTS                        | SLOTS        | 509                                            |
 * | ADD_MEM_REG, REM_MEM_REG                 | owned SLOTS  | the memory, all vrings paused                  |
 * | SET_LOG_BASE                             | owned LOG    | logs there from now on                         |
 * | SET_LOG_FD                               | owned        | nothing: who copies the log looks by itself    |
 * | SET_VRING_NUM, SET_VRING_BASE            | owned        | kept; while it runs: REFUSED                   |
 * | SET_VRING_ADDR                           | owned        | kept; while it runs: only how it is logged     |
 * | SET_VRING_KICK                           | owned        | kept; a vring that runs changes over           |
 * | SET_VRING_CALL, SET_VRING_ERR            | owned        | kept; a vring that runs changes over           |
 * | SET_VRING_ENABLE                         | owned        | kept; 0 pauses it                              |
 * | GET_VRING_BASE                           | owned        | it stops, and has to be set up anew            |
 * | GET_CONFIG, SET_CONFIG                   | CONFIG       | the device's; what it does not take: REFUSED   |
 * | SET_BACKEND_REQ_FD                       | BACKEND_REQ  | changes of the configuration are told there    |
 * | GET_INFLIGHT_FD                          | owned INFL   | a new region                                   |
 * | SET_INFLIGHT_FD                          | owned INFL   | the region, all vrings paused                  |
 * | all others                               |              | END                                            |
 *
 * Whatever order they come in, a vring runs as soon as it has all it needs (`vring-state.ts`).
 *
 * - A word in capitals under "when" is the protocol feature that must have been agreed on; else END.
 * - Not owned, where it must be: REFUSED (EPERM). So a frontend that never says SET_OWNER gets nowhere.
 * - REFUSED: nothing has changed; or what was asked for is kept, and a vring cannot run with it. The
 *   frontend is answered with 1 where REPLY_ACK was agreed on and it asked for an answer. Where it did
 *   not, it would go on as if all were well, so: END. Only a write to the configuration that the device
 *   does not take is passed over then.
 * - END: the connection ends with one sentence. The device stays, and the next frontend is served.
 *
 * @module
 */
import { close } from '../os/events.js'
import type { Descriptors } from '../os/sockets.js'
import type { Backend } from './backend.js'
import { offeredProtocolFeatures, type ProtocolFeature } from './features.js'
import { maxMemorySlots } from './memory-table.js'
import {
  hasReply,
  type Message,
  type PayloadOf,
  type ReplyOf,
  type RequestName,
} from './message.js'
import type { Ownership } from './ownership.js'
import { ProtocolError } from './protocol-error.js'
import { demand, Refusal } from './refusal.js'
import { SessionState } from './session-state.js'
import { makeInflight } from './mapped-areas.js'

/** Sends the reply to a request. The descriptors stay the caller's. */
export type SendReply = <Name extends RequestName>(
  name: Name,
  payload: ReplyOf<Name>,
  fds?: readonly number[],
) => void

/** What is done at a request, and when it may come. */
interface Rule<Name extends RequestName> {
  readonly owned?: true
  readonly feature?: ProtocolFeature
  /** What has a reply of its own sends it. */
  run(payload: PayloadOf<Name>, given: Descriptors): void | Promise<void>
}

type Rules = { readonly [Name in RequestName]?: Rule<Name> }

export class Session {
  readonly #state: SessionState
  readonly #reply: SendReply
  readonly #rules: Rules

  /** @param socket - what the trace of messages calls it */
  constructor(backend: Backend, ownership: Ownership, reply: SendReply, socket = '') {
    this.#state = new SessionState(backend, ownership, socket)
    this.#reply = reply
    this.#rules = {
      ...sessionRules(this.#state, reply),
      ...memoryRules(this.#state, reply),
      ...vringRules(this.#state, reply),
    }
  }

  /**
   * Does what is asked, one request at a time.
   *
   * @param given - the descriptors that came along: those it keeps it takes
   * @throws ProtocolError, Refusal, or what the backend met: the connection is to end
   */
  async handle(message: Message, given: Descriptors): Promise<void> {
    const { request, payload } = message
    const rule: Rule<RequestName> | undefined = this.#rules[request]
    if (rule === undefined) throw new ProtocolError(`${request} is not spoken here`)
    // It is asked for before the request, and due after it: SET_PROTOCOL_FEATURES may agree on it.
    const isDue = (): boolean =>
      message.needsReply && !hasReply('frontend', request) && this.#state.speaks('REPLY_ACK')
    try {
      this.#admit(request, rule)
      await rule.run(payload, given)
      if (isDue()) this.#acknowledge(request, 0n)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (isDue()) this.#acknowledge(request, 1n)
      else if (error.ends) throw error
    }
  }

  /**
   * The connection has ended, and no request is under way: the vrings stop, the threads let go of the
   * memory, it is unmapped, the descriptors are closed (VH-6).
   *
   * @throws what went wrong. Where a thread may still use the memory, it stays
   */
  async end(): Promise<void> {
    await this.#state.end()
  }

  #admit(request: RequestName, { owned, feature }: Rule<RequestName>): void {
    if (feature !== undefined && !this.#state.speaks(feature))
      throw new ProtocolError(`${request} came, and ${feature} was not agreed on`)
    if (owned) demand(this.#state.isOwner, `${request} came before SET_OWNER (EPERM)`)
  }

  #acknowledge(request: RequestName, outcome: bigint): void {
    // The type of a reply depends on its request; whoever is acknowledged has none of its own.
    this.#reply(request as 'SET_OWNER', outcome)
  }
}

/** What is agreed on, who has the device, and its configuration. */
function sessionRules(state: SessionState, reply: SendReply): Rules {
  return {
    GET_FEATURES: { run: () => reply('GET_FEATURES', state.offered) },
    SET_FEATURES: { run: (features) => state.setFeatures(features) },
    GET_PROTOCOL_FEATURES: { run: () => reply('GET_PROTOCOL_FEATURES', offeredProtocolFeatures) },
    SET_PROTOCOL_FEATURES: { run: (features) => state.setProtocolFeatures(features) },
    GET_QUEUE_NUM: { run: () => reply('GET_QUEUE_NUM', BigInt(state.backend.vrings)) },
    SET_OWNER: { run: () => state.setOwner() },
    RESET_OWNER: { owned: true, run: () => state.resetOwner() },
    RESET_DEVICE: { owned: true, run: () => state.resetDevice() },
    GET_STATUS: {
      owned: true,
      feature: 'STATUS',
      run: () => reply('GET_STATUS', BigInt(state.status)),
    },
    SET_STATUS: { owned: true, feature: 'STATUS', run: (status) => state.setStatus(status) },
    GET_CONFIG: {
      feature: 'CONFIG',
      run: (asked) => reply('GET_CONFIG', state.readConfig(asked)),
    },
    SET_CONFIG: { feature: 'CONFIG', run: (config) => state.writeConfig(config) },
    SET_BACKEND_REQ_FD: {
      feature: 'BACKEND_REQ',
      run: (_, given) => {
        const fd = given.take(0)
        if (fd !== null) state.channel.open(fd)
      },
    },
  }
}

/** The guest's memory, and what else is shared. */
function memoryRules(state: SessionState, reply: SendReply): Rules {
  return {
    SET_MEM_TABLE: {
      owned: true,
      run: (regions, given) =>
        withFiles(given, (fds) => state.changeMemory(() => state.memory.replace(regions, fds))),
    },
    GET_MAX_MEM_SLOTS: {
      feature: 'CONFIGURE_MEM_SLOTS',
      run: () => reply('GET_MAX_MEM_SLOTS', BigInt(maxMemorySlots)),
    },
    ADD_MEM_REG: {
      owned: true,
      feature: 'CONFIGURE_MEM_SLOTS',
      run: (region, given) =>
        withFile(given, (fd) => state.changeMemory(() => state.memory.add(region, fd))),
    },
    REM_MEM_REG: {
      owned: true,
      feature: 'CONFIGURE_MEM_SLOTS',
      run: (region) => state.changeMemory(() => state.memory.remove(region)),
    },
    SET_LOG_BASE: {
      owned: true,
      feature: 'LOG_SHMFD',
      run: async (area, given) => {
        await withFile(given, (fd) => state.setLog(area, fd))
        reply('SET_LOG_BASE', null)
      },
    },
    SET_LOG_FD: { owned: true, run: () => {} },
    GET_INFLIGHT_FD: {
      owned: true,
      feature: 'INFLIGHT_SHMFD',
      run: (asked) => {
        const { area, fd } = makeInflight(asked)
        try {
          reply('GET_INFLIGHT_FD', area, [fd])
        } finally {
          close(fd)
        }
      },
    },
    SET_INFLIGHT_FD: {
      owned: true,
      feature: 'INFLIGHT_SHMFD',
      run: (area, given) => withFile(given, (fd) => state.setInflight(area, fd)),
    },
  }
}

/** The vrings, piece by piece. */
function vringRules(state: SessionState, reply: SendReply): Rules {
  return {
    SET_VRING_NUM: {
      owned: true,
      run: ({ index, num }) => state.setUp(index, (vring) => vring.setSize(num)),
    },
    SET_VRING_BASE: {
      owned: true,
      run: ({ index, num }) => state.setUp(index, (vring) => vring.setBase(num)),
    },
    SET_VRING_ADDR: {
      owned: true,
      run: (addresses) => state.setUp(addresses.index, (vring) => vring.setAddresses(addresses)),
    },
    SET_VRING_KICK: {
      owned: true,
      run: ({ index }, given) => state.setUp(index, (vring) => vring.setKick(given.take(0))),
    },
    SET_VRING_CALL: {
      owned: true,
      run: ({ index }, given) => state.setUp(index, (vring) => vring.setCall(given.take(0))),
    },
    SET_VRING_ERR: {
      owned: true,
      run: ({ index }, given) => state.setUp(index, (vring) => vring.setError(given.take(0))),
    },
    SET_VRING_ENABLE: {
      owned: true,
      run: async ({ index, num }) => {
        if (num > 1) throw new ProtocolError(`SET_VRING_ENABLE takes 0 or 1, and got ${num}`)
        await state.setUp(index, (vring) => vring.setEnabled(num === 1))
      },
    },
    GET_VRING_BASE: {
      owned: true,
      run: async ({ index }) => {
        const num = await state.vrings.at(index).takeBase()
        reply('GET_VRING_BASE', { index, num })
      },
    },
  }
}

/** Uses descriptors that are of no more use afterwards. */
async function withFiles(
  given: Descriptors,
  use: (fds: readonly number[]) => Promise<void>,
): Promise<void> {
  const fds = Array.from({ length: given.count }, (_, index) => given.take(index) ?? -1)
  try {
    await use(fds)
  } finally {
    for (const fd of fds) close(fd)
  }
}

async function withFile(given: Descriptors, use: (fd: number) => Promise<void>): Promise<void> {
  await withFiles(given, ([fd = -1]) => use(fd))
}
