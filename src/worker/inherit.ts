/**
 * What a worker's thread takes over from the thread that makes it.
 *
 * @module
 */

import { asError } from './error-report.js'

/**
 * Node's options that say what the process itself is to run. A thread that inherits one of them
 * refuses to start.
 */
const ofTheProcess =
  /^(--input-type|-e$|--eval|-p$|--print|-pe$|-c$|--check|-i$|--interactive|--test|--watch|--run)/

/**
 * Node's options that say how modules are found and loaded, with and without a value of their own
 * behind them.
 */
const ofModules =
  /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--enable-source-maps)(=|$)/
const withoutValue = /^--enable-source-maps$|=/

/** The first of Node's options that says what a process is to run; undefined: none does. */
export function optionOfTheProcess(options: readonly string[]): string | undefined {
  return options.find((option) => ofTheProcess.test(option))
}

/**
 * The options of Node for a thread, where the caller gave none: undefined, Node's own way, which
 * hands all of this process's down; or, where one of those belongs to the process alone, those that
 * load modules.
 */
export function inheritedExecArgv(own: readonly string[] = process.execArgv): string[] | undefined {
  if (!own.some((option) => ofTheProcess.test(option))) return undefined
  return own.flatMap((option, index) => {
    if (!ofModules.test(option)) return []
    const value = own[index + 1]
    return withoutValue.test(option) || value === undefined ? [option] : [option, value]
  })
}

/**
 * Makes a thread with its owner's environment as it is now. Node takes what was set in `NODE_OPTIONS`
 * at run time only from an environment that it is given, and then refuses options that are for
 * processes alone, naming them: a thread goes without those.
 *
 * @param make - is given the environment; undefined: Node's own way, a copy without the above
 * @throws what `make` throws at last
 */
export function withOwnEnvironment<Thread>(
  make: (env: NodeJS.ProcessEnv | undefined) => Thread,
  env: NodeJS.ProcessEnv = process.env,
): Thread {
  let options = splitOptions(env['NODE_OPTIONS'] ?? '')
  if (options.length === 0) return make(undefined)
  const kept = options.filter((option) => !ofTheProcess.test(option))
  let text = kept.length === options.length ? env['NODE_OPTIONS'] : kept.join(' ')
  for (options = kept; ;) {
    try {
      return make({ ...env, NODE_OPTIONS: text })
    } catch (error) {
      const rest = withoutRefused(options, asError(error).message)
      // Nothing in it that could be left out: the thread goes without what was set at run time.
      if (rest.length === options.length) return make(undefined)
      options = rest
      text = rest.join(' ')
    }
  }
}

/** As Node splits them: at spaces that are not in double quotes. */
function splitOptions(text: string): string[] {
  return text.match(/(?:"(?:\\.|[^"\\])*"|[^\s"])+/g) ?? []
}

function withoutRefused(options: readonly string[], message: string): string[] {
  const named = message.matchAll(/(--?[\w-]+)=? (?:is not allowed|is an invalid|requires|must be)/g)
  const refused = new Set([...named].map(([, name]) => name))
  return options.filter((option, index) => {
    // A value of its own goes with its option.
    const before = options[index - 1]
    if (before !== undefined && !option.startsWith('-') && refused.has(before)) return false
    return !refused.has(option.replace(/=.*$/s, ''))
  })
}
