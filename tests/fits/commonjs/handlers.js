const { setTimeout: sleep } = require('node:timers/promises')
const { current } = require('userworker/current')

module.exports = {
  add(a, b) {
    return a + b
  },

  refuse(file) {
    throw Object.assign(new RangeError(`no room for ${file}`), { code: 'E_ROOM', file })
  },

  async untilAborted() {
    await sleep(60_000, undefined, { signal: current().signal })
  },
}
