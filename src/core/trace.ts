/** What a span says of its work, under the names of OpenTelemetry's conventions. No secrets: it leaves the process. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** A piece of work that is being recorded. */
export interface Span {
  /** Names this span to whatever it causes, as W3C Trace Context has it. */
  readonly traceparent: string
  set(attributes: SpanAttributes): void
  /** Begins a span for a request to another system that this one makes. */
  child(name: string, attributes?: SpanAttributes): Span
  /** `errorType`: what went wrong, by its code. Calling it twice is safe. */
  end(errorType?: string): void
}

/** Records spans. */
export interface Tracer {
  /** Begins a span for a request that has come; undefined where it is not recorded. `parent` is the caller's traceparent. */
  start(name: string, attributes: SpanAttributes, parent: string | undefined): Span | undefined
}

const form = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** A traceparent of version 00 that somebody sent, where it is one: what is malformed names nothing. */
export function readTraceparent(value: unknown): string | undefined {
  return typeof value === 'string' && value.length === 55 && form.test(value) ? value : undefined
}

/** The 32 digits that all spans of one trace share. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35)
}
