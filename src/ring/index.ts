/**
 * The door to what crosses shared memory.
 *
 * @module
 */
export {
  keep,
  pack,
  read,
  write,
  type Packed,
  type SharedBuffers,
  type SharedBuffersByNumber,
} from './values.js'
