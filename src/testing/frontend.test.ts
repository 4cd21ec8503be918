import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { clear, signal } from '../os/events.js'
import { connect } from '../os/sockets.js'
import { checkForLeaks, descriptors } from '../worker/leaks.fixture.js'
import { Frontend, protocolFeatures, type FrontendOptions } from './index.js'
import { Recorder, recorderAt, socketPath } from './recorder.fixture.js'

checkForLeaks()

const { MQ, REPLY_ACK, BACKEND_REQ, CONFIG, INFLIGHT_SHMFD, CONFIGURE_MEM_SLOTS } = protocolFeatures

/** What the frontend asks before anything else, with two queues. */
const handshake = [
  'GET_FEATURES',
  'GET_PROTOCOL_FEATURES',
  'SET_PROTOCOL_FEATURES',
  'GET_QUEUE_NUM',
  'GET_MAX_MEM_SLOTS',
  'SET_BACKEND_REQ_FD!',
  'SET_OWNER',
  'GET_FEATURES',
  'SET_VRING_CALL',
  'SET_VRING_ERR',
  'SET_VRING_CALL',
  'SET_VRING_ERR',
]
const ring = ['SET_VRING_NUM', 'SET_VRING_BASE', 'SET_VRING_ADDR', 'SET_VRING_KICK']
const enabled = ['SET_VRING_ENABLE', 'SET_VRING_ENABLE']

/** How the queues begin, with what comes before them. */
const begun = (...memory: readonly string[]): string[] => [
  'SET_INFLIGHT_FD',
  'SET_VRING_CALL',
  'SET_VRING_CALL',
  'SET_FEATURES',
  ...memory,
  ...ring,
  ...ring,
  ...enabled,
]

const two: FrontendOptions = { queues: 2, queueSize: 8, memory: 2 ** 20 }

describe('the order of requests is that of QEMU 7.2', () => {
  test('when it makes a device, starts it, stops it, and starts it again', async (t) => {
    const { path, recorder, served } = recorderAt(t)
    const frontend = await Frontend.connect(path, { ...two, configBytes: 57 })
    assert.deepEqual(await frontend.stopLikeQemu(), [5, 5])
    await frontend.startLikeQemu()
    await frontend.sync()
    await frontend.close()
    assert.equal(await served, null)
    assert.deepEqual(recorder.requests, [
      ...handshake,
      'GET_CONFIG',
      'SET_FEATURES',
      'GET_INFLIGHT_FD',
      ...begun('ADD_MEM_REG!'),
      ...enabled,
      'GET_VRING_BASE',
      'GET_VRING_BASE',
      'SET_FEATURES',
      'GET_INFLIGHT_FD',
      ...begun(),
      'GET_FEATURES',
    ])
    const lengths = recorder.messages.flatMap((message) =>
      message.request === 'GET_CONFIG' ? [message.payload.bytes.byteLength] : [],
    )
    assert.deepEqual(lengths, [57])
  })

  test('without slots: the table of memory comes at each start', async (t) => {
    const { path, recorder, served } = recorderAt(t)
    const some = MQ | REPLY_ACK
    const frontend = await Frontend.connect(path, { ...two, protocolFeatures: some })
    await frontend.stopLikeQemu()
    await frontend.startLikeQemu()
    await frontend.close()
    await served
    const tables = recorder.requests.filter((request) => request === 'SET_MEM_TABLE!')
    assert.equal(tables.length, 2)
    assert.ok(!recorder.requests.some((request) => /MEM_REG|INFLIGHT|BACKEND/.test(request)))
  })

  test('when a guest boots: the firmware first, with few features, then the system', async (t) => {
    const { path, recorder, served } = recorderAt(t)
    const frontend = await Frontend.open(path, two)
    await frontend.negotiate()
    let atFirmware = 0n
    await frontend.bootLikeQemu(() => {
      atFirmware = frontend.features
    })
    await frontend.close()
    await served
    assert.equal(atFirmware, 0x1_4000_0044n)
    const taken = recorder.messages.filter(({ request }) => request === 'SET_FEATURES')
    assert.deepEqual(
      taken.map(({ payload }) => payload),
      [0x1_4000_0044n, 0x1_4000_0044n, 0x1_7000_0244n, 0x1_7000_0244n],
    )
  })

  test('when the backend has died: no configuration, the old inflight memory, the used index', async (t) => {
    const { path, recorder, listener, served } = recorderAt(t)
    const frontend = await Frontend.connect(path, { ...two, configBytes: 57 })
    recorder.drop()
    assert.equal(await frontend.ended, null)
    await served
    const used = frontend.memory.forDrivers.at(frontend.queue.driver.used, 4)
    new Uint16Array(used.buffer, used.byteOffset, 2)[1] = 3
    const second = new Recorder()
    const servedAgain = second.serveAt(listener)
    await frontend.reconnectLikeQemu()
    await frontend.close()
    await servedAgain
    const expected = [...handshake, 'SET_FEATURES', ...begun('ADD_MEM_REG!')]
    assert.deepEqual(second.requests, expected)
    const bases = second.messages.filter(({ request }) => request === 'SET_VRING_BASE')
    assert.deepEqual(
      bases.map(({ payload }) => payload),
      [
        { index: 0, num: 3 },
        { index: 1, num: 0 },
      ],
    )
  })

  test('without features of the protocol: nothing is asked that needs them', async (t) => {
    const { path, recorder, served } = recorderAt(t, { features: 0x1_0000_0000n })
    const frontend = await Frontend.connect(path, two)
    await frontend.close()
    await served
    const optional = /PROTOCOL|QUEUE_NUM|SLOTS|REG|INFLIGHT|BACKEND|ENABLE|!/
    assert.deepEqual(
      recorder.requests.filter((request) => optional.test(request)),
      [],
    )
    assert.ok(recorder.requests.includes('SET_MEM_TABLE'))
  })
})

describe('a frontend', () => {
  test('has real memory: what is written there is in the file that the backend gets', async (t) => {
    const { path, recorder, served } = recorderAt(t)
    const memory = [
      { guest: 0, size: 2 ** 20, offset: 8192 },
      { guest: 0x1_0000_0000, size: 2 ** 20 },
    ]
    const frontend = await Frontend.connect(path, { memory, queueSize: 8 })
    const added = frontend.memory.add({ guest: 0x2_0000_0000, size: 4096 })
    await frontend.addRegion(added)
    frontend.memory.at(0x2_0000_0ff0, 4).set([1, 2, 3, 4])
    assert.equal(frontend.memory.userOf(0x2_0000_0ff0), added.user + 0xff0)
    assert.throws(() => frontend.memory.at(0x2_0000_0fff, 2), RangeError)
    assert.throws(() => frontend.memory.at(0x1_ffff_ffff, 1), RangeError)
    await frontend.removeRegion(added)
    frontend.memory.remove(added)
    await frontend.close()
    await served
    const regions = recorder.messages.flatMap((message) =>
      message.request === 'ADD_MEM_REG' ? [message.payload] : [],
    )
    assert.deepEqual(
      regions.map(({ guest, size, offset }) => ({ guest, size, offset })),
      [
        { guest: 0, size: 2 ** 20, offset: 8192 },
        { guest: 0x1_0000_0000, size: 2 ** 20, offset: 0 },
        { guest: 0x2_0000_0000, size: 4096, offset: 0 },
      ],
    )
    assert.ok(recorder.requests.includes('REM_MEM_REG!'))
  })

  test('reads and writes the configuration, and hears that it has changed', async (t) => {
    const { path, recorder, served } = recorderAt(t)
    const frontend = await Frontend.connect(path, two)
    assert.deepEqual(await frontend.getConfig(4, 8), new Uint8Array(8))
    await frontend.setConfig(32, new Uint8Array([1]))
    const changed = frontend.waitForConfigChange()
    recorder.channel?.send('CONFIG_CHANGE_MSG', null)
    await changed
    assert.equal((await recorder.channel?.call('CONFIG_CHANGE_MSG', null))?.payload, 0n)
    assert.equal(frontend.configChanges, 2)
    await frontend.close()
    await served
  })

  test('keeps the status, and a log of what was written', async (t) => {
    const { path, served } = recorderAt(t)
    await using frontend = await Frontend.connect(path, {
      ...two,
      protocolFeatures: Object.values(protocolFeatures).reduce((all, bit) => all | bit),
    })
    await frontend.setStatus(0xb)
    assert.equal(await frontend.getStatus(), 0xb)
    const log = await frontend.setLog(2 ** 20)
    log.bytes[1] = 0b101
    assert.equal(frontend.takeDirty(10 * 4096 + 7), true)
    assert.equal(frontend.takeDirty(10 * 4096), false)
    assert.equal(frontend.takeDirty(9 * 4096), false)
    await frontend.close()
    await served
  })

  test('says what the backend refuses', async (t) => {
    const { path, served } = recorderAt(t, { answer: 22n })
    const some = MQ | REPLY_ACK
    const options = { ...two, protocolFeatures: some }
    await assert.rejects(Frontend.connect(path, options), /refuses SET_MEM_TABLE: 22/)
    await served
  })

  test('can have 256 queues, more than the socket has room for messages', async (t) => {
    const { path } = recorderAt(t, { queues: 256n })
    const frontend = await Frontend.connect(path, { queues: 256, queueSize: 8 })
    assert.equal((await frontend.stopLikeQemu()).length, 256)
    await frontend.close()
  })

  test('refuses a backend with too few queues', async (t) => {
    const { path, served } = recorderAt(t)
    await assert.rejects(Frontend.connect(path, { ...two, queues: 5 }), /has 4 queues, not 5/)
    await served
  })

  test('hears that the backend has ended, and what it was asked rejects', async (t) => {
    const { path, recorder, served } = recorderAt(t)
    const frontend = await Frontend.connect(path, two)
    const request = assert.rejects(frontend.queue.request([new Uint8Array(1)], [1]), /was closed/)
    recorder.drop()
    assert.equal(await frontend.ended, null)
    await assert.rejects(frontend.getStatus(), /closed the connection/)
    await frontend.close()
    await request
    await served
  })

  test('kicks, and waits for calls and for errors', async (t) => {
    const { path, recorder, served } = recorderAt(t)
    const frontend = await Frontend.connect(path, { ...two, protocolFeatures: MQ })
    await frontend.sync()
    const { queue } = frontend
    queue.kick()
    assert.equal(clear(recorder.fds.get('SET_VRING_KICK 0') as number), true)
    const called = queue.waitForCall()
    signal(recorder.fds.get('SET_VRING_CALL 0') as number)
    await called
    signal(recorder.fds.get('SET_VRING_ERR 1') as number)
    await frontend.queues[1]?.waitForError()
    const never = assert.rejects(queue.waitForError(), /was closed/)
    await frontend.close()
    await never
    await served
  })

  test('sends any bytes, and hears how that ends', async (t) => {
    const { path, served } = recorderAt(t)
    await using frontend = await Frontend.open(path, two)
    frontend.sendRaw(Buffer.alloc(12, 0xff), [0, 1])
    assert.equal(await frontend.ended, null)
    assert.match(String(await served), /ProtocolError: .* version 3/)
  })

  test('waits for a backend that does not listen yet, or for one that connects by itself', async (t) => {
    const path = socketPath(t)
    await assert.rejects(Frontend.open(path, two), { code: 'ENOENT' })
    const opened = Frontend.open(path, { ...two, waitMs: 60_000 })
    const listener = Frontend.listen(path, { ...two, protocolFeatures: BACKEND_REQ | CONFIG })
    const theirs = await listener.accept()
    const mine = await opened
    await mine.close()
    assert.equal(await theirs.ended, null)
    await theirs.close()
    const recorder = new Recorder()
    const served = recorder.serve(connect(path))
    const frontend = await listener.accept()
    await frontend.negotiate()
    await frontend.startLikeQemu()
    await assert.rejects(frontend.reconnectLikeQemu(), /connects by itself/)
    await frontend.close()
    await served
    const none = assert.rejects(listener.accept(), /listens no more/)
    await listener.close()
    await none
  })

  test('leaves nothing behind in 50 rounds', async (t) => {
    const { path, listener, served } = recorderAt(t)
    await (await Frontend.connect(path, two)).close()
    await served
    const open = descriptors()
    for (let round = 0; round < 50; round++) {
      const again = new Recorder().serveAt(listener)
      const flags = round % 2 === 0 ? MQ | INFLIGHT_SHMFD : CONFIGURE_MEM_SLOTS | BACKEND_REQ
      await (await Frontend.connect(path, { ...two, protocolFeatures: flags })).close()
      assert.equal(await again, null)
    }
    assert.deepEqual(descriptors(), open)
  })

  test('refuses wrong options', async (t) => {
    const path = socketPath(t)
    const wrong: readonly FrontendOptions[] = [
      { queues: 0 },
      { queueSize: 40_000 },
      { configBytes: 300 },
      { size: 1 } as FrontendOptions,
    ]
    for (const options of wrong) {
      await assert.rejects(Frontend.open(path, options), { code: 'EINVAL' })
    }
  })
})
