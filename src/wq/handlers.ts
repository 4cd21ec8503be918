/**
 * The types of a queue's works, inferred from the module that handles them.
 *
 * @module
 */

// Handlers take anything: their parameters are read back with `Parameters`, which keeps each one
// exact.
// oxlint-disable-next-line typescript/no-explicit-any
type Handler = (...args: any[]) => unknown

/** What a queue knows of its module when it is given no type: any name, any arguments. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyModule = Record<string, (...args: any[]) => any>

/** The names of a module's handlers: its exported functions but for `setup` and `teardown`. */
export type HandlerName<Module> = {
  [Name in keyof Module]: Name extends 'setup' | 'teardown'
    ? never
    : Module[Name] extends Handler
      ? Name
      : never
}[keyof Module] &
  string

/** The arguments of a handler. */
export type HandlerArgs<Module, Name extends keyof Module> = Module[Name] extends Handler
  ? Parameters<Module[Name]>
  : never

/** What a work of a handler resolves to. */
export type HandlerResult<Module, Name extends keyof Module> = Module[Name] extends Handler
  ? Awaited<ReturnType<Module[Name]>>
  : never

/**
 * What follows the name in `run` and `enqueue`: the arguments may be left out where the handler
 * needs none.
 */
export type Submission<Args extends unknown[], Options> = [] extends Args
  ? [args?: Args, options?: Options]
  : [args: Args, options?: Options]

/** The names of handlers whose items a stream can give. */
export type StreamName<Module> = {
  [Name in HandlerName<Module>]: HandlerResult<Module, Name> extends
    | Iterable<unknown>
    | AsyncIterable<unknown>
    ? Name
    : never
}[HandlerName<Module>]

/** What a stream of a handler gives. */
export type HandlerItem<Module, Name extends keyof Module> =
  HandlerResult<Module, Name> extends AsyncIterable<infer Item>
    ? Item
    : HandlerResult<Module, Name> extends Iterable<infer Item>
      ? Item
      : never
