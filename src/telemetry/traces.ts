import {
  type Attributes,
  type Context,
  type Span as OtelSpan,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Logger } from '../core/logger.ts'
import { readTraceparent, type Span, type SpanAttributes, type Tracer } from '../core/trace.ts'

/** What traces are made with, and where they go. */
export interface TracesOptions {
  /** Which part of the calls is recorded whose caller does not say: 0 to 1. A caller's own decision is followed. */
  readonly sample: number
  /** 0 to 1. */
  readonly random: () => number
  /** `service.name` and `service.version`. */
  readonly service: { readonly name: string; readonly version: string }
  /** Sends one batch in the JSON form of OTLP. Rejects where it was not taken; it is not sent again. */
  readonly send: (body: Uint8Array) => Promise<void>
  readonly log: Logger
}

/** A tracer that sends what it records. */
export interface OpenTracer extends Tracer {
  /** Sends what is left, for at most 2 s. */
  close(): Promise<void>
}

/** Spans that wait to be sent; more are dropped. A collector that is away costs memory for these, and nothing else. */
const waitingMax = 4_096
const batchMax = 512
const everyMs = 1_000
const closeMaxMs = 2_000
const textCharsMax = 4_096

/** Records spans with the SDK of OpenTelemetry. What is not sampled costs one comparison. */
export function createTracer(options: TracesOptions): OpenTracer {
  const { sample, random, service } = options
  const provider = new TracerProvider({
    sampler: new AlwaysOnSampler(),
    spanLimits: { attributeValueLengthLimit: textCharsMax },
    resource: resourceFromAttributes({ 'service.name': service.name, 'service.version': service.version }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: createExporter(options),
        maxQueueSize: waitingMax,
        maxExportBatchSize: batchMax,
        scheduledDelayMillis: everyMs,
      }),
    ],
  })
  const tracer = provider.getTracer(service.name, service.version)
  return {
    start(name, attributes, given) {
      const parent = readTraceparent(given)
      const isWanted = parent === undefined ? random() < sample : isSampled(parent)
      if (!isWanted) return undefined
      const context = parent === undefined ? ROOT_CONTEXT : contextOf(parent)
      return new RecordedSpan(tracer, name, SpanKind.SERVER, attributes, context)
    },
    close: () =>
      Promise.race([
        provider.shutdown().catch(() => {}),
        new Promise<void>((resolve) => setTimeout(resolve, closeMaxMs).unref()),
      ]),
  }
}

class RecordedSpan implements Span {
  readonly #tracer: OtelTracer
  readonly #span: OtelSpan
  readonly #context: Context
  readonly traceparent: string

  constructor(tracer: OtelTracer, name: string, kind: SpanKind, attributes: SpanAttributes, parent: Context) {
    this.#tracer = tracer
    this.#span = tracer.startSpan(name, { kind, attributes: attributes as Attributes }, parent)
    this.#context = trace.setSpan(parent, this.#span)
    const { traceId, spanId } = this.#span.spanContext()
    this.traceparent = `00-${traceId}-${spanId}-01`
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes as Attributes)
  }

  child(name: string, attributes: SpanAttributes = {}): Span {
    return new RecordedSpan(this.#tracer, name, SpanKind.CLIENT, attributes, this.#context)
  }

  end(errorType?: string): void {
    if (!this.#span.isRecording()) return
    if (errorType !== undefined) {
      this.#span.setAttribute('error.type', errorType)
      this.#span.setStatus({ code: SpanStatusCode.ERROR })
    }
    this.#span.end()
  }
}

function isSampled(traceparent: string): boolean {
  return (Number.parseInt(traceparent.slice(-2), 16) & TraceFlags.SAMPLED) === TraceFlags.SAMPLED
}

function contextOf(traceparent: string): Context {
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-')
  const remote = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return trace.setSpanContext(ROOT_CONTEXT, remote)
}

/** Says once that traces are lost, and once that they are taken again. */
function createExporter({ send, log }: TracesOptions): SpanExporter {
  let isLosing = false
  const note = (thrown: unknown) => {
    if (isLosing) return
    isLosing = true
    const cause = thrown instanceof Error ? thrown.message : String(thrown)
    log.warn({ event: 'traces.lost', cause }, 'Traces could not be sent, and are lost until they can.')
  }
  return {
    export(spans: ReadableSpan[], done) {
      const body = JsonTraceSerializer.serializeRequest(spans)
      if (body === undefined) return done({ code: 1 })
      send(body).then(
        () => {
          if (isLosing) log.info({ event: 'traces.sent' }, 'Traces are sent again.')
          isLosing = false
          done({ code: 0 })
        },
        (thrown: unknown) => {
          note(thrown)
          done({ code: 1, error: thrown instanceof Error ? thrown : new Error(String(thrown)) })
        },
      )
    },
    shutdown: async () => {},
  }
}
