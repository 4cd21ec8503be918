/** The door of `virtio/`: virtqueues over a guest's memory, and what is done with a request. */
export type { Request, Segments } from './request.js'
