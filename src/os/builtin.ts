/**
 * The door to Node's own modules without what an `import` of them costs: that calls every getter
 * among their exports, and so loads streams, watchers, performance observers and the like into each
 * thread anew. `node:fs`, `node:v8`, `node:perf_hooks` and `node:util` took 35 modules and 5 to 8 ms of
 * a worker's birth (measured).
 *
 * @module
 */
import process from 'node:process'

type Builtins = {
  'node:fs': typeof import('node:fs')
  'node:module': typeof import('node:module')
  'node:os': typeof import('node:os')
  'node:timers': typeof import('node:timers')
  'node:util': typeof import('node:util')
  'node:v8': typeof import('node:v8')
}

/** A module of Node. Its functions are to be taken out of it before any code of the user's runs. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  return process.getBuiltinModule(name) as Builtins[Name]
}
