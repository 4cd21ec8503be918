import assert from 'node:assert/strict'
import { openSync, closeSync } from 'node:fs'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { runProgram } from '../worker/program.fixture.js'
import { clear, close, event, EventSet, PollSet, signal, watch } from './events.js'
import { startOwnThread } from './own-thread.fixture.js'

const skip = process.platform === 'linux' ? false : 'needs system calls of Linux'

checkForLeaks()

/** Events for a test, closed with it. */
function events(t: { after(run: () => void): void }, count: number): number[] {
  const fds = Array.from({ length: count }, event)
  t.after(() => fds.forEach(close))
  return fds
}

describe('an event', { skip }, () => {
  test('is signalled until it is cleared, however often it was signalled', (t) => {
    const [fd = -1] = events(t, 1)
    assert.equal(clear(fd), false)
    signal(fd)
    signal(fd)
    assert.equal(clear(fd), true)
    assert.equal(clear(fd), false)
  })

  test('reports what is none', () => {
    const file = openSync('/dev/null', 'r')
    try {
      assert.throws(() => signal(file), { code: 'EBADF', syscall: 'write' })
      assert.throws(() => clear(2 ** 20), { code: 'EBADF', syscall: 'read' })
    } finally {
      closeSync(file)
    }
  })
})

describe('a set to poll', { skip }, () => {
  test('tells which of its descriptors are ready, and which are broken', (t) => {
    const [first = -1, second = -1] = events(t, 2)
    const set = new PollSet()
    assert.equal(set.wait(0), 0)
    set.set([first, second, 2 ** 20])
    assert.deepEqual(set.fds, [first, second, 2 ** 20])
    signal(second)
    assert.equal(set.wait(1000), 2)
    const found = [0, 1, 2, 3].map((index) => [set.isReady(index), set.isBroken(index)])
    assert.deepEqual(found, [
      [false, false],
      [true, false],
      [true, true],
      [false, false],
    ])
    set.set([first])
    assert.equal(set.wait(1), 0)
  })

  test('waits until another thread signals', async (t) => {
    const [fd = -1] = events(t, 1)
    const url = JSON.stringify(new URL('./events.js', import.meta.url).href)
    await startOwnThread(
      t,
      `import(${url}).then(({ signal }) => setTimeout(() => signal(workerData), 20))`,
      fd,
    )
    const set = new PollSet()
    set.set([fd])
    assert.equal(set.wait(60_000), 1)
  })
})

describe('a set of events', { skip }, () => {
  test('tells by level as long as one is signalled, and by edge once for each signal', (t) => {
    const [level = -1, edge = -1] = events(t, 2)
    const set = new EventSet()
    t.after(() => set.close())
    const found = (): number[] => {
      const count = set.wait(0)
      return Array.from({ length: count }, (_, index) => set.ready(index)).sort((a, b) => a - b)
    }
    signal(edge)
    set.add(level, 'level')
    set.add(edge, 'edge')
    assert.deepEqual(found(), [edge], 'what was signalled before')
    assert.deepEqual(found(), [])
    signal(level)
    signal(edge)
    assert.deepEqual(found(), [level, edge])
    assert.deepEqual(found(), [level])
    signal(edge)
    assert.deepEqual(found(), [level, edge], 'not cleared, and signalled again')
    clear(level)
    set.remove(edge)
    signal(edge)
    assert.deepEqual(found(), [])
    assert.equal(set.ready(99), -1)
  })

  test('is readable itself while one of its own is, and is waited for by another thread', async (t) => {
    const [fd = -1] = events(t, 1)
    const set = new EventSet()
    t.after(() => set.close())
    set.add(fd, 'level')
    const poll = new PollSet()
    poll.set([set.fd])
    assert.equal(poll.wait(0), 0)
    const words = new Int32Array(new SharedArrayBuffer(4))
    const url = JSON.stringify(new URL('./events.js', import.meta.url).href)
    await startOwnThread(
      t,
      `import(${url}).then(({ EventSet }) => {
        const { words, set } = workerData
        const count = new EventSet(set).wait(60000)
        Atomics.store(words, 0, count)
        Atomics.notify(words, 0)
      })`,
      { words, set: set.fd },
    )
    signal(fd)
    assert.equal(poll.wait(1000), 1)
    Atomics.wait(words, 0, 0, 60_000)
    assert.equal(words[0], 1)
  })

  test('refuses what never becomes readable, and what it has already', (t) => {
    const [fd = -1] = events(t, 1)
    const set = new EventSet()
    t.after(() => set.close())
    const file = openSync('/proc/self/exe', 'r')
    t.after(() => closeSync(file))
    assert.throws(() => set.add(file, 'level'), { code: 'EPERM', syscall: 'epoll_ctl' })
    set.add(fd, 'level')
    assert.throws(() => set.add(fd, 'edge'), { code: 'EEXIST' })
    set.remove(fd)
    assert.throws(() => set.remove(fd), { code: 'ENOENT' })
    assert.equal(set.wait(1), 0)
  })
})

describe('a watch', { skip }, () => {
  test('calls its listener while the descriptor is readable, until it is closed', async (t) => {
    const [fd = -1] = events(t, 1)
    let calls = 0
    await new Promise<void>((resolve) => {
      const watched = watch(fd, () => {
        calls++
        if (calls < 3) return
        clear(fd)
        watched.close()
        resolve()
      })
      signal(fd)
    })
    signal(fd)
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
    assert.equal(calls, 3)
  })

  test('lets what its listener resolves go on at once, also where nothing else is due', async () => {
    const url = JSON.stringify(new URL('./events.js', import.meta.url).href)
    const { out, err } = await runProgram(`
      const { event, signal, watch } = await import(${url})
      let isLate = false
      const alarm = setTimeout(() => (isLate = true), 20_000)
      const fd = event()
      setTimeout(() => signal(fd), 10)
      await new Promise((resolve) => {
        const watched = watch(fd, () => {
          watched.close()
          resolve()
        })
      })
      clearTimeout(alarm)
      console.log(isLate ? 'late' : 'at once')`)
    assert.equal(out, 'at once\n', err)
  })

  test('refuses a descriptor that never becomes readable', (t) => {
    const file = openSync('/proc/self/exe', 'r')
    t.after(() => closeSync(file))
    assert.throws(() => watch(file, () => {}), { code: 'EPERM' })
  })

  test('works in a thread that is not the main one, which may end with it open', async (t) => {
    const [fd = -1, answer = -1] = events(t, 2)
    const url = JSON.stringify(new URL('./events.js', import.meta.url).href)
    await startOwnThread(
      t,
      `import(${url}).then(({ clear, signal, watch }) => {
        watch(workerData.fd, () => {
          clear(workerData.fd)
          signal(workerData.answer)
        })
      })`,
      { fd, answer },
    )
    const set = new PollSet()
    set.set([answer])
    for (let round = 0; round < 3; round++) {
      signal(fd)
      assert.equal(set.wait(60_000), 1)
      clear(answer)
    }
  })
})
