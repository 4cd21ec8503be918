/**
 * What a worker's thread takes over from the thread that makes it.
 *
 * @module
 */

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
