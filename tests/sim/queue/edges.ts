/**
 * The state tables of the library that works go through, edge by edge.
 *
 * @module
 */

/**
 * What a thread does to a slot that it was ended for 500 ms and more ago, where it stood all that time: its
 * work was given to another meanwhile (`rings.md`, when a thread dies).
 */
export const belated: readonly string[] = ['slot WITHDRAWN → DONE', 'slot DONE → DONE']

/** A worker that is given up in the instant in which its row is freed. */
export const seldom: readonly string[] = ['worker BOOTING → gone']

/** Every edge that works can take. */
export const reachable: readonly string[] = [
  'worker BOOTING → CREATED',
  'worker BOOTING → SPARE',
  'worker BOOTING → OWNER',
  'worker SPARE → BOOTING',
  'worker CREATED → RUNNING',
  'worker RUNNING → EXITED',
  'worker SPARE → gone',
  'worker CREATED → gone',
  'worker RUNNING → gone',
  'worker EXITED → gone',
  'worker OWNER → gone',
  'worker +START',
  'worker +STOP',
  'worker +ENTERED',
  'worker +PARKED',
  'worker -PARKED',
  'worker +DOZING',
  'worker -DOZING',
  'worker +FREEZE',
  'worker -FREEZE',
  'worker +ANYWHERE',
  'worker -ANYWHERE',
  'worker +KILL',
  'slot FREE → READY',
  'slot FREE → LINKED',
  'slot READY → CLAIMED',
  'slot READY → WITHDRAWN',
  'slot LINKED → READY',
  'slot LINKED → CLAIMED',
  'slot LINKED → WITHDRAWN',
  'slot CLAIMED → DONE',
  'slot CLAIMED → READY',
  'slot CLAIMED → LINKED',
  'slot DONE → READY',
  'slot DONE → LINKED',
  'slot WITHDRAWN → READY',
  'slot WITHDRAWN → LINKED',
  'server none → booting',
  'server booting → serving',
  'server booting → gone',
  'server serving → gone',
  'work waiting → canceled',
  'work waiting → failed',
  'work begun → done',
  'work begun → failed',
  'work begun → canceled',
]
