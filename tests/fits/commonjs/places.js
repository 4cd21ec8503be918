const { setTimeout: sleep } = require('node:timers/promises')

exports.place = async function place(counter, ms) {
  await sleep(ms)
  return Atomics.add(counter, 0, 1) + 1
}
