const [major, minor] = process.versions.node.split('.').map(Number)
const canRequire = major > 24 || (major === 24 && minor >= 9)

async function useIt({ UserWorkerError, WorkQueue }) {
  const queue = new WorkQueue(require.resolve('./handlers.js'))
  expect(await queue.run('add', [2, 3])).toBe(5)
  await expect(queue.run('refuse', ['a.txt'])).rejects.toThrow(RangeError)
  await expect(queue.run('nothing')).rejects.toThrow(UserWorkerError)
  expect(await queue.close()).toEqual({ stuck: [] })
}

test('a CommonJS test takes the library by import()', async () => {
  await useIt(await import('userworker'))
})

// Node 24.9 gave jest what it needs to require ES modules.
const testIf = canRequire ? test : test.skip
testIf('a CommonJS test takes the library by require()', async () => {
  await useIt(require('userworker'))
})
