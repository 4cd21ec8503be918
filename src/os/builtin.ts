/**
 * The door to those of Node's own modules that not every thread needs: they are loaded when they are
 * asked for. An `import` loads them into each thread anew, with all that their exports lead to: 1 ms
 * and more of a worker's birth for each (measured).
 *
 * Not by `import process`: that calls every getter of `process`, and so makes its standard streams.
 *
 * @module
 */
type Builtins = {
  'node:child_process': typeof import('node:child_process')
  'node:fs': typeof import('node:fs')
  'node:module': typeof import('node:module')
  'node:net': typeof import('node:net')
  'node:os': typeof import('node:os')
  'node:stream': typeof import('node:stream')
  'node:url': typeof import('node:url')
  'node:util': typeof import('node:util')
  'node:v8': typeof import('node:v8')
  'node:vm': typeof import('node:vm')
}

/** A module of Node. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  return process.getBuiltinModule(name)
}
