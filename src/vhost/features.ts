/**
 * What this side of the protocol speaks beyond its first version, in the specification's words.
 *
 * @module
 */

/** Protocol features, by their names without VHOST_USER_PROTOCOL_F_. */
export const protocolFeatures = {
  MQ: 1n << 0n,
  LOG_SHMFD: 1n << 1n,
  REPLY_ACK: 1n << 3n,
  BACKEND_REQ: 1n << 5n,
  CONFIG: 1n << 9n,
  INFLIGHT_SHMFD: 1n << 12n,
  RESET_DEVICE: 1n << 13n,
  CONFIGURE_MEM_SLOTS: 1n << 15n,
  STATUS: 1n << 16n,
} as const

export type ProtocolFeature = keyof typeof protocolFeatures

/** All of them. */
export const offeredProtocolFeatures: bigint = Object.values(protocolFeatures).reduce(
  (all, bit) => all | bit,
  0n,
)

/** Bits for people, such as `0x40000000`. */
export function hexOf(bits: bigint): string {
  return `0x${bits.toString(16)}`
}
