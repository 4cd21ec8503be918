// A reporter for Node's test runner: one line of JSON at the end, the same for every version of Node. It has which
// Node ran them, how many tests there were, the failed ones with their messages, and the skipped ones with their
// reasons.

export default async function* tally(events) {
  const found = { node: process.versions.node, tests: 0, passed: 0, failed: [], skipped: [] }
  for await (const { type, data } of events) {
    if (type === 'test:pass') pass(found, data)
    if (type === 'test:fail') fail(found, data)
  }
  yield `${JSON.stringify(found)}\n`
}

function pass(found, { name, skip, details }) {
  const isTest = details.type !== 'suite'
  if (isTest) found.tests++
  if (skip === undefined || skip === false) found.passed += isTest ? 1 : 0
  else found.skipped.push(`${name}: ${typeof skip === 'string' ? skip : 'no reason'}`)
}

function fail(found, { name, todo, details: { type, error } }) {
  // A group, or a file, that fails because a test in it does.
  if (error.failureType === 'subtestsFailed') return
  if (type !== 'suite') found.tests++
  if (todo !== undefined && todo !== false) return
  const { message = error.cause } = error.cause ?? error
  found.failed.push(`${name}: ${String(message).split('\n')[0]}`)
}
