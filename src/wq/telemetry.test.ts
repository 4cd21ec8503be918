import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf } from './contract/support.fixture.js'
import { WorkQueue } from './queue.js'
import type * as Fixture from './telemetry.fixture.js'
import { inSpan, withTenant, type Seen } from './telemetry.fixture.js'

checkForLeaks()

const make = (): WorkQueue<typeof Fixture> =>
  new WorkQueue(new URL('./telemetry.fixture.js', import.meta.url), { maxWorkers: 1 })

const areChildren = (spans: readonly Seen[], parent: Seen, tenant?: string): void => {
  assert.equal(spans.length, 3)
  for (const span of spans) {
    const about = { traceId: span.traceId, parent: span.parent, tenant: span.tenant }
    assert.deepEqual(about, { traceId: parent.traceId, parent: parent.id, tenant })
  }
}

describe('OpenTelemetry, as its SDK sets it up', () => {
  test("a span of a handler is a child of the submitter's, also behind awaits and timers", async () => {
    await using queue = make()
    for (let round = 0; round < 3; round++) {
      await inSpan('submitting', async (parent) => {
        // So many that its context gets a number.
        const works = Array.from({ length: 12 }, () => queue.run('spans'))
        for (const spans of await Promise.all(works)) areChildren(spans, parent)
      })
    }
    assert.equal(await queue.run('exported'), 3 * 12 * 3)
  })

  test('a trace goes on through nested works, and baggage with it', async () => {
    await using queue = make()
    const { top, span, spans } = await withTenant('acme', () =>
      inSpan('top', async (own) => ({ top: own, ...(await queue.run('below')) })),
    )
    assert.deepEqual([span.traceId, span.parent], [top.traceId, top.id])
    areChildren(spans, span, 'acme')
  })

  test('a work without a span begins a trace of its own, whatever ran before', async () => {
    await using queue = make()
    const seen = new Set<string>()
    for (let round = 0; round < 12; round++) {
      await inSpan('before', () => queue.run('spans'))
      const error = await inSpan('before', () => failureOf(queue.run('fail')))
      assert.equal((JSON.parse(error.message) as Seen).name, 'failing')
      for (const span of await queue.run('spans')) {
        assert.deepEqual([span.parent, span.tenant], [undefined, undefined])
        seen.add(span.traceId)
      }
    }
    assert.equal(seen.size, 36)
  })
})
