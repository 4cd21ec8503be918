/**
 * Messages by chance, for properties of the codec and for whoever reads messages.
 *
 * @module
 */
import fc from 'fast-check'
import { backendRequests, frontendRequests, type Side } from './message.js'
import { longestConfig, mostRegions, type PayloadKind, type Payloads } from './payloads.js'

/** The arbitrary of each kind of payload. */
type PayloadArbitraries = { readonly [Kind in PayloadKind]: fc.Arbitrary<Payloads[Kind]> }

/** Objects like those of literals: fast-check makes some without a prototype. */
const plain = <Fields extends object>(fields: {
  [Name in keyof Fields]: fc.Arbitrary<Fields[Name]>
}): fc.Arbitrary<Fields> => fc.record<Fields>(fields).map((made) => Object.assign({}, made))

const word = fc.nat({ max: 0xffff_ffff })
const half = fc.nat({ max: 0xffff })
const byte = fc.nat({ max: 0xff })
const wide = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(0, 1, 4096, 2 ** 32 - 1, 2 ** 32, 2 ** 47, Number.MAX_SAFE_INTEGER),
)
const region = plain({ guest: wide, size: wide, user: wide, offset: wide })
const descriptor = plain({ index: byte, hasDescriptor: fc.boolean() })
const config = plain({
  offset: word,
  flags: word,
  bytes: fc.uint8Array({ maxLength: longestConfig, size: 'max' }),
})

/** Payloads that keep the rules, by kind. */
export const payloads: PayloadArbitraries = {
  nothing: fc.constant(null),
  u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  state: plain({ index: word, num: word }),
  address: plain({
    index: word,
    flags: word,
    descriptors: wide,
    used: wide,
    available: wide,
    log: wide,
  }),
  descriptor,
  memory: fc.array(region, { maxLength: mostRegions, size: 'max' }),
  region,
  log: plain({ size: wide, offset: wide }),
  config,
  configAnswer: fc.option(config),
  inflight: plain({ size: wide, offset: wide, queues: half, queueSize: half }),
  area: fc
    .tuple(descriptor, plain({ size: wide, offset: wide }))
    .map(([one, other]) => ({ ...one, ...other })),
  iotlb: plain({ iova: wide, size: wide, user: wide, permissions: byte, type: byte }),
  transfer: plain({ direction: word, phase: word }),
  bytes: fc.uint8Array({ maxLength: 4096 }),
}

/** A request with a payload that keeps its rules. */
export interface SampleRequest {
  readonly from: Side
  readonly name: string
  readonly payload: unknown
  readonly needReply: boolean
  /** How many descriptors go along, by its rules. */
  readonly descriptors: number
}

/** The row of a request in the tables: number, payload, reply, descriptors. */
export function ruleOf(
  from: Side,
  name: string,
): readonly [number, PayloadKind, PayloadKind | null] {
  const table: Record<string, unknown> = from === 'frontend' ? frontendRequests : backendRequests
  return table[name] as readonly [number, PayloadKind, PayloadKind | null]
}

/** All requests of both sides. */
export const requestNames: readonly { readonly from: Side; readonly name: string }[] = [
  ...Object.keys(frontendRequests).map((name) => ({ from: 'frontend' as const, name })),
  ...Object.keys(backendRequests).map((name) => ({ from: 'backend' as const, name })),
]

/** Requests that keep all rules. */
export const requests: fc.Arbitrary<SampleRequest> = fc
  .constantFrom(...requestNames)
  .chain(({ from, name }) => {
    const kind = ruleOf(from, name)[1]
    return fc
      .tuple(payloads[kind] as fc.Arbitrary<unknown>, fc.boolean())
      .map(([payload, needReply]) => {
        const descriptors = descriptorsOf(from, name, payload)
        return { from, name, payload, needReply, descriptors }
      })
  })

/** How many descriptors a request may have: the least, where there are several answers. */
export function descriptorsOf(from: Side, name: string, payload: unknown): number {
  const count = (ruleOf(from, name) as readonly unknown[])[3]
  if (typeof count === 'number') return count
  if (count !== 'payload') return 0
  if (Array.isArray(payload)) return payload.length
  return (payload as { hasDescriptor: boolean }).hasDescriptor ? 1 : 0
}
