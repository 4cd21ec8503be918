/**
 * A tracer, as a service sets it up, and handlers that make spans.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { context, propagation, trace, type Span } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { WorkQueue } from './queue.js'

export const exporter = new InMemorySpanExporter()
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()

/** What is known of a span. */
export interface Seen {
  readonly name: string
  readonly traceId: string
  readonly id: string
  readonly parent: string | undefined
  readonly tenant: string | undefined
}

const tracer = trace.getTracer('userworker')

const seenOf = (name: string, span: Span): Seen => {
  const { traceId, spanId } = span.spanContext()
  const { parentSpanContext } = span as unknown as { parentSpanContext?: { spanId: string } }
  const tenant = propagation.getActiveBaggage()?.getEntry('tenant')?.value
  return { name, traceId, id: spanId, parent: parentSpanContext?.spanId, tenant }
}

/** Calls it inside of a new span. */
export function inSpan<Result>(name: string, fn: (span: Seen) => Result): Result {
  return tracer.startActiveSpan(name, (span) => {
    try {
      return fn(seenOf(name, span))
    } finally {
      span.end()
    }
  })
}

/** Calls it with a tenant in the baggage. */
export function withTenant<Result>(value: string, fn: () => Result): Result {
  const baggage = propagation.createBaggage({ tenant: { value } })
  return context.with(propagation.setBaggage(context.active(), baggage), fn)
}

/** A span at once, one behind an await, and one behind a timer. */
export async function spans(): Promise<Seen[]> {
  const all = [inSpan('at once', (span) => span)]
  await Promise.resolve()
  all.push(inSpan('later', (span) => span))
  await sleep(1)
  all.push(inSpan('by a timer', (span) => span))
  return all
}

export function fail(): never {
  throw new RangeError(JSON.stringify(inSpan('failing', (span) => span)))
}

let nested: WorkQueue | null = null

/** A span, and those of a work that is submitted inside of it. */
export function below(): Promise<{ span: Seen; spans: Seen[] }> {
  const queue = (nested ??= new WorkQueue(new URL(import.meta.url), { maxWorkers: 1 }))
  return inSpan('between', async (span) => ({ span, spans: (await queue.run('spans')) as Seen[] }))
}

/** How many spans this thread has exported. */
export function exported(): number {
  return exporter.getFinishedSpans().length
}

export async function teardown(): Promise<void> {
  await nested?.close()
}
