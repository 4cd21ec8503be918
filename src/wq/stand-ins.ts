/**
 * What compilers put beside a function and call from inside it, once more for a function that was
 * taken out of its file.
 *
 * Only what compilers for Node 20 and for ES2017 give: names, fields, rest and spread, `using`,
 * `async`, and the counters of a coverage tool, which count for nothing here. What is missing
 * becomes an error that says so (`explainReference` in inline.ts).
 *
 * @module
 */

/** What a name in a function's text is to be. */
export type StandIns = ReadonlyMap<string, unknown>

/**
 * The stand-ins for the names that a function's text mentions. A name that the function declares
 * itself hides its stand-in.
 */
export function standInsFor(source: string): StandIns {
  const found = new Map<string, unknown>()
  for (const [name] of source.matchAll(/(?<![\w$.#])(?:_|cov_)\w+(?![\w$])/g)) {
    const standIn = known.get(name) ?? (/^cov_[\da-z]+$/.test(name) ? counters : undefined)
    if (standIn !== undefined) found.set(name, standIn)
  }
  return found
}

type Keyed = Record<PropertyKey, unknown>
type Callable = (this: unknown, ...args: unknown[]) => unknown

/** Names that were lost in compiling: `__name(function, 'its name')`. */
function named(target: object, value: string): object {
  return Object.defineProperty(target, 'name', { value, configurable: true })
}

function defineField(target: object, key: PropertyKey, value: unknown): unknown {
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
  return value
}

function defineProperty(target: object, key: PropertyKey, value: unknown): object {
  defineField(target, key, value)
  return target
}

/** Own enumerable properties, symbols too, as fields. */
function spread(target: object, ...sources: unknown[]): object {
  for (const source of sources) {
    const own = { ...(source as object) } as Keyed
    for (const key of Reflect.ownKeys(own)) defineField(target, key, own[key])
  }
  return target
}

function spreadDescriptors(target: object, source: object): object {
  return Object.defineProperties(target, Object.getOwnPropertyDescriptors(source))
}

/** `const { a, ...rest } = source`, without the names that were taken. */
function restOf(source: object, taken: readonly PropertyKey[]): Keyed {
  const rest: Keyed = { ...(source as Keyed) }
  for (const key of taken) Reflect.deleteProperty(rest, key)
  return rest
}

/** Runs a generator that yields where the function it was made from awaits. */
function drive(generator: Generator<unknown, unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const step = (go: () => IteratorResult<unknown, unknown>): void => {
      try {
        const { done, value } = go()
        if (done === true) resolve(value)
        else Promise.resolve(value).then(onValue, onError)
      } catch (error) {
        // Whatever the function threw.
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors
        reject(error)
      }
    }
    const onValue = (value: unknown): void => step(() => generator.next(value))
    const onError = (error: unknown): void => step(() => generator.throw(error))
    onValue(undefined)
  })
}

type Body = (...args: unknown[]) => Generator<unknown, unknown>

function asyncOf(body: Body): Callable {
  return function (...args) {
    return drive(body.apply(this, args))
  }
}

interface Resource {
  readonly value: unknown
  readonly dispose: Callable | null
  readonly isAsync: boolean
}

/** A value of `using` or `await using`, noted on the stack of its block. */
function use(stack: Resource[], value: unknown, isAsync = false): unknown {
  if (value === null || value === undefined) {
    if (isAsync) stack.push({ value, dispose: null, isAsync })
    return value
  }
  if (typeof value !== 'object' && typeof value !== 'function') {
    throw new TypeError('Object expected')
  }
  const methods = value as Keyed
  const dispose = (isAsync ? methods[Symbol.asyncDispose] : undefined) ?? methods[Symbol.dispose]
  if (typeof dispose !== 'function') throw new TypeError('Object not disposable')
  stack.push({ value, dispose: dispose as Callable, isAsync })
  return value
}

/** The end of such a block. Returns a promise as soon as there is something to wait for. */
function disposeAll(stack: Resource[], error: unknown, hasError = false): unknown {
  let failure = hasError ? { error } : null
  const fail = (next: unknown): void => {
    failure = { error: failure === null ? next : suppressed(next, failure.error) }
  }
  const unwind = (): unknown => {
    for (let each = stack.pop(); each !== undefined; each = stack.pop()) {
      try {
        const result: unknown = each.dispose?.call(each.value)
        if (each.isAsync) {
          return Promise.resolve(result).then(unwind, (thrown: unknown) => {
            fail(thrown)
            return unwind()
          })
        }
      } catch (thrown) {
        fail(thrown)
        if (each.isAsync) return Promise.resolve().then(unwind)
      }
    }
    if (failure !== null) throw failure.error as Error
    return undefined
  }
  return unwind()
}

/** `SuppressedError`, which Node has from 24 on. */
function suppressed(error: unknown, behind: unknown): Error {
  const all = globalThis as {
    SuppressedError?: new (error: unknown, suppressed: unknown, message: string) => Error
  }
  const message = 'An error was suppressed during disposal'
  if (all.SuppressedError !== undefined) return new all.SuppressedError(error, behind, message)
  const made = Object.assign(new Error(message), { error, suppressed: behind })
  return named(made, 'SuppressedError') as Error
}

interface Block {
  readonly stack: Resource[]
  error: unknown
  hasError: boolean
}

function useInBlock(block: Block, value: unknown, isAsync: boolean): unknown {
  return use(block.stack, value, isAsync)
}

function disposeBlock(block: Block): unknown {
  return disposeAll(block.stack, block.error, block.hasError)
}

interface Members {
  has(target: object): boolean
  get(target: object): unknown
  set(target: object, value: unknown): unknown
  add(target: object): unknown
}

function checkMember(members: Members, target: object): void {
  if (!members.has(target)) throw new TypeError('Cannot access a private member of this object')
}

/** `#name` of classes, by a WeakMap for fields and a WeakSet for methods. */
const privateMembers: Readonly<Record<string, unknown>> = {
  __privateAdd: (target: object, members: Members, value: unknown) =>
    members instanceof WeakSet ? members.add(target) : members.set(target, value),
  __privateGet: (target: object, members: Members, getter?: Callable) => {
    checkMember(members, target)
    return getter === undefined ? members.get(target) : getter.call(target)
  },
  __privateSet: (target: object, members: Members, value: unknown, setter?: Callable) => {
    checkMember(members, target)
    if (setter === undefined) members.set(target, value)
    else setter.call(target, value)
    return value
  },
  __privateMethod: (target: object, members: Members, method: Callable) => {
    checkMember(members, target)
    return method
  },
  __privateIn: (members: Members, target: object) => members.has(target),
}

/** What an empty array of floats ignores is what a counter is told: `cov_x().s[0]++`. */
const ignored = new Float64Array(0)
const branches = new Proxy({}, { get: () => ignored })
const counters = (): object => ({ s: ignored, f: ignored, b: branches, bT: branches })

const known: StandIns = new Map<string, unknown>([
  // esbuild and tsx
  ['__name', named],
  ['__publicField', defineField],
  ['__spreadValues', spread],
  ['__spreadProps', spreadDescriptors],
  ['__objRest', restOf],
  ['__pow', Math.pow],
  [
    '__async',
    (self: unknown, args: unknown[] | null, body: Body) => drive(body.apply(self, args ?? [])),
  ],
  ['__using', use],
  ['__callDispose', disposeAll],
  ...Object.entries(privateMembers),
  // TypeScript
  [
    '__awaiter',
    (self: unknown, args: unknown[] | undefined, _: unknown, body: Body) =>
      drive(body.apply(self, args ?? [])),
  ],
  ['__rest', restOf],
  ['__addDisposableResource', useInBlock],
  ['__disposeResources', disposeBlock],
  // SWC, then Babel
  ['_async_to_generator', asyncOf],
  ['_define_property', defineProperty],
  ['_object_spread', spread],
  ['_object_spread_props', spreadDescriptors],
  ['_object_without_properties', restOf],
  ['_ts_add_disposable_resource', useInBlock],
  ['_ts_dispose_resources', disposeBlock],
  ['_asyncToGenerator', asyncOf],
  ['_defineProperty', defineProperty],
  ['_objectSpread', spread],
  ['_objectWithoutProperties', restOf],
])
