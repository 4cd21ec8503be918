import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { threadsOf } from '../../os/proc.js'
import { until } from '../../os/own-thread.fixture.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { Owner } from '../../worker/index.js'
import { asking, Serve, Word } from '../device.fixture.js'
import { takenDevice, type UnderTest } from '../device-under-test.fixture.js'
import { reinsOf, VhostWorker } from './index.js'

const skip = process.platform === 'linux' ? false : 'needs system calls of Linux'

checkForLeaks()

/** The CPU time of a worker's thread so far, in milliseconds. */
const cpuOf = ({ thread }: VhostWorker): number =>
  threadsOf().find(({ tid }) => tid === thread.osThreadId)?.cpuMs ?? assert.fail('no thread')

/** A device whose one vring runs, below an owner of its own. */
async function running(
  t: Parameters<typeof takenDevice>[0],
  workerOptions: object = {},
): Promise<
  UnderTest & { queue: ReturnType<UnderTest['guest']['queue']>; owner: Owner; worker: VhostWorker }
> {
  const owner = new Owner({ name: 'tenant' })
  const made = await takenDevice(t, { workerOptions: { owner, ...workerOptions } })
  const queue = made.guest.queue()
  await made.device.startVring(0, queue.setup())
  await queue.send(asking(Serve.NOW))
  const worker = made.device.workerOf(0) ?? assert.fail('no worker')
  return { ...made, queue, owner, worker }
}

/** Waits until the thread sleeps in the system call that only its bell and its events end. */
function untilAsleep(worker: VhostWorker): Promise<void> {
  return until('it sleeps', () => /sleeping|epoll/.test(inspect(worker.thread.describe())))
}

describe('a vhost worker', { skip }, () => {
  test('is a thread of this process, with its name, and no process [INV-VH-9, BUG-VH-1]', async () => {
    const worker = await VhostWorker.create({ name: 'serving' })
    const thread = threadsOf().find(({ tid }) => tid === worker.thread.osThreadId)
    assert.deepEqual([thread?.pid, thread?.name], [process.pid, 'uw:serving'])
    assert.ok(readdirSync(`/proc/${process.pid}/task`).includes(`${worker.thread.osThreadId}`))
    assert.match(
      inspect(worker),
      /VhostWorker \{ name: 'serving', id: \d+, devices: 0, state: 'running' \}/,
    )
    assert.equal(worker.id, worker.thread.id)
    await worker.free()
    assert.equal(worker.thread.exitCode, 0)
  })

  test('is refused with options that do not exist, and is not made by new', async () => {
    await assert.rejects(VhostWorker.create({ nicer: 1 } as object), { code: 'EINVAL' })
    await assert.rejects(VhostWorker.create({ onOwnerKill: 'end' as 'die' }), { code: 'EINVAL' })
    await assert.rejects(VhostWorker.create({ nice: 99 }), { code: 'EINVAL' })
    assert.throws(() => Reflect.construct(VhostWorker, [{}]), { code: 'EINVAL' })
  })

  test('uses no processor time while it is idle [INV-VH-6]', async (t) => {
    const { worker } = await running(t)
    await untilAsleep(worker)
    const before = cpuOf(worker)
    await sleep(500)
    assert.ok(cpuOf(worker) - before < 250, `${cpuOf(worker) - before} ms of 500`)
  })

  test('has run what was queued before a flush when that resolves [VH-15, INV-VH-4]', async (t) => {
    const { worker } = await running(t)
    const reins = reinsOf(worker)
    const order: string[] = []
    const flushes = Array.from({ length: 200 }, async (_, index) => {
      // More at once than there are sentinels.
      const command = reins.command({ type: 'change', device: 0, vring: 0, change: {} })
      void command.catch(() => order.push(`command ${index}`))
      await worker.flush()
      order.push(`flush ${index}`)
    })
    await Promise.all(flushes)
    for (let index = 0; index < 200; index++) {
      assert.ok(order.indexOf(`command ${index}`) < order.indexOf(`flush ${index}`), `${index}`)
    }
  })

  test('serves nothing while it is frozen, and all of it after that [BUG-VH-2]', async (t) => {
    const times: number[] = []
    for (const whom of ['worker', 'owner', 'worker', 'owner'] as const) {
      const { words, queue, owner, worker } = await running(t)
      await untilAsleep(worker)
      const frozen = whom === 'owner' ? owner : worker.thread
      const began = performance.now()
      const { laggards } = await frozen.freeze()
      times.push(performance.now() - began)
      assert.deepEqual(laggards, [])
      const calls = words[Word.CALLS]
      const sent = Array.from({ length: 20 }, () => queue.send(asking(Serve.NOW)))
      await sleep(50)
      assert.equal(words[Word.CALLS], calls)
      frozen.thaw()
      for (const { written } of await Promise.all(sent)) assert.equal(written, 8)
    }
    assert.ok(Math.min(...times) < 900, `the bell did not reach it: ${times.join(' ')} ms`)
  })

  test('hears of a stop and of a kill at once in its system call, not after its longest sleep', async (t) => {
    for (const end of ['stop', 'kill'] as const) {
      const times: number[] = []
      for (let round = 0; round < 5; round++) {
        const worker = await VhostWorker.create()
        await worker.flush()
        await untilAsleep(worker)
        const began = performance.now()
        const exit = worker.thread.join()
        if (end === 'stop') worker.thread.requestStop()
        else worker.thread.kill()
        await exit.catch(() => {})
        times.push(performance.now() - began)
      }
      t.diagnostic(`${end}: ${times.map((time) => time.toFixed(1)).join(' ')} ms`)
      assert.ok(Math.min(...times) < 500, `${end}: ${times.join(' ')} ms`)
    }
  })

  test('takes nothing after its end, and a wake or a flush of it does no harm [BUG-VH-8, BUG-VH-9]', async (t) => {
    const { worker, device, queue, owner, told } = await running(t)
    const reins = reinsOf(worker)
    worker.thread.kill()
    await until('it has ended', () => told.length === 1)
    assert.equal(reins.add(0), false)
    await worker.flush()
    worker.thread.wake()
    worker.thread.requestStop()
    worker.thread.kill()
    await owner.freeze()
    owner.thaw()
    await assert.rejects(reins.command({ type: 'close', device: 1 }), { code: 'ERR_WORKER_DIED' })
    await assert.rejects(device.startVring(0, queue.setup()), { code: 'ENODEV' })
    await assert.rejects(worker.free(), { code: 'ENODEV' })
  })
})

describe('the end of an owner above', { skip }, () => {
  test('lets a worker finish what it has in hand, and refuse what comes later [VH-26, VH-27, INV-VH-8]', async (t) => {
    const { worker, words, queue, owner, told } = await running(t)
    const underWay = [queue.send(asking(Serve.PROMISE, 50)), queue.send(asking(Serve.LATER, 50))]
    await until('they are under way', () => words[Word.CALLS] === 3)
    const flushed = worker.flush()
    owner.kill(new Error('unpaid'))
    const reins = reinsOf(worker)
    await flushed
    for (const { written } of await Promise.all(underWay)) assert.equal(written, 8)
    await until('it has ended', () => told.length === 1)
    assert.equal(worker.thread.exitCode, -9)
    assert.equal(reins.add(0), false)
    await worker.flush()
    assert.match(inspect(told[0]?.error), /unpaid/)
  })

  test('leaves one that lingers at work until it is freed, at no cost [VH-25, INV-VH-6, BUG-VH-3]', async (t) => {
    const { worker, device, queue, owner } = await running(t, { onOwnerKill: 'linger' })
    owner.kill()
    assert.equal((await queue.send(asking(Serve.NOW))).written, 8)
    assert.equal((await queue.send(asking(Serve.LATER, 5))).written, 8)
    await worker.flush()
    await untilAsleep(worker)
    const before = cpuOf(worker)
    await sleep(500)
    assert.ok(cpuOf(worker) - before < 250, `${cpuOf(worker) - before} ms of 500`)
    assert.equal(worker.thread.exitCode, null)
    assert.equal(await device.stopVring(0), 3)
    await device.release()
    assert.equal(worker.thread.exitCode, 0)
  })

  test('comes while flushes wait: each of them returns [VH-42, BUG-VH-7, INV-VH-8]', async () => {
    for (let round = 0; round < 10; round++) {
      const owner = new Owner({ name: 'tenant' })
      const worker = await VhostWorker.create({ owner })
      const flushes = Array.from({ length: 100 }, () => worker.flush())
      const commands = Array.from({ length: 20 }, () =>
        reinsOf(worker)
          .command({ type: 'close', device: 7 })
          .catch(() => {}),
      )
      if (round % 2 === 0) await Promise.resolve()
      else await flushes[0]
      owner.kill()
      flushes.push(...Array.from({ length: 100 }, () => worker.flush()))
      await Promise.all([...flushes, ...commands])
      await worker.thread.join().catch(() => {})
    }
  })

  test('races with a stop: the worker ends once, by one of them [VH-26, BUG-VH-6]', async () => {
    const codes = new Set<number | null>()
    for (let round = 0; round < 40; round++) {
      const owner = new Owner({ name: 'tenant' })
      const worker = await VhostWorker.create({
        owner,
        ...(round % 4 === 3 && { onOwnerKill: 'linger' }),
      })
      let exits = 0
      worker.thread.onExit(() => exits++)
      const freed =
        round % 2 === 0 ? worker.free().catch(() => {}) : worker.thread.stop().catch(() => {})
      if (round % 3 === 0) await Promise.resolve()
      if (round % 5 === 0) await worker.flush()
      owner.kill()
      if (round % 7 === 0) worker.thread.kill()
      await freed
      await worker.thread.join().catch(() => {})
      codes.add(worker.thread.exitCode)
      assert.equal(exits, 1)
    }
    assert.ok(
      [...codes].every((code) => code === 0 || code === -9),
      [...codes].join(),
    )
  })
})
