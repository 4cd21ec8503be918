// The one way in: `npm start`, `npm test` and the rest all come through here.
// It needs nothing but Node and npm, and installs or builds only what changed since the last run.
import { bringUpToDate } from './bootstrap.mjs'
import { commands } from './commands.mjs'

const [name = '', ...args] = process.argv.slice(2)
const command = commands[name]
if (command === undefined) {
  console.error(`run: no command '${name}'. There is: ${Object.keys(commands).join(', ')}`)
  process.exit(2)
}
bringUpToDate()
process.exitCode = await command(args)
