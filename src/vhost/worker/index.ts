/** The door of `vhost/worker/`: threads that serve vrings. */
export type { Rider } from './reins.js'
export { checkLives, reinsOf, VhostWorker, type VhostWorkerOptions } from './vhost-worker.js'
