/**
 * The handlers of a module whose words are mapped files; of the contract suite's unless the query says
 * another.
 *
 * @module
 */
import { withWords } from './mapped.fixture.js'

type Handler = (...args: unknown[]) => unknown

const asked = new URL(import.meta.url).searchParams.get('of')
const module = (await import(asked ?? '../handlers.fixture.js')) as Record<string, unknown>

export default Object.fromEntries(
  Object.entries(module).map(([name, value]) => [
    name,
    typeof value !== 'function'
      ? value
      : (...args: unknown[]): unknown => (value as Handler)(...args.map((each) => withWords(each))),
  ]),
)
