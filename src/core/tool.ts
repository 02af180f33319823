import type { Caller } from './caller.ts'
import type { StopSignal } from './cancellation.ts'
import type { CallEvent } from './event.ts'
import type { InputAnswers, InputRequired, Result } from './outcome.ts'
import type { Schema } from './schema.ts'

/**
 * What a tool does to the world. Retry, cache and idempotency decide from this
 * alone; hints that an upstream sends are shown to the caller and trusted by nothing.
 */
export type Effect = 'read' | 'idempotent-write' | 'write' | 'destructive'

/** Everything a caller can ask for goes the same way through the executor. */
export type Target = Tool

/** One named, typed capability. `name` is snake_case within its connection, or an upstream's own. */
export interface Tool<I = unknown> {
  readonly kind: 'tool'
  readonly name: string
  readonly title?: string
  readonly description: string
  readonly effect: Effect
  readonly input: Schema<I>
  readonly output?: Schema
  /**
   * The definition as an upstream server gave it, served to clients field by field as it came
   * (icons, annotations, `_meta`, fields we do not know). Absent for tools of our own.
   */
  readonly definition?: Readonly<Record<string, unknown>>
  /** Longest time one call may take, in milliseconds, where it differs from the default of 30,000 (C-07). */
  readonly timeoutMs?: number
  /** Runs once per call, already validated. Throws a WeirError; anything else thrown is an INTERNAL error. */
  run(input: I, context: RunContext): Promise<Result | InputRequired>
}

/** What a running tool gets beside its input. */
export interface RunContext {
  /** Aborts when the caller leaves or the deadline passes; its `reason` is a WeirError. */
  readonly signal: AbortSignal
  /** The same in a cheaper form, for tools that are called thousands of times a second. */
  readonly stop: StopSignal
  /** When the call must have ended, on the monotonic clock of `core/clock.ts`, in milliseconds. */
  readonly deadlineMs: number
  readonly caller: Caller
  /** The client's own `_meta`, without what concerns one hop only; `traceparent` travels here. */
  readonly meta?: Readonly<Record<string, unknown>>
  /** What the client can do when asked (elicitation, sampling, roots), as it declared it. */
  readonly clientCapabilities?: Readonly<Record<string, unknown>>
  /** True where somebody listens for progress, so that a tool need not ask upstream for it in vain. */
  readonly wantsProgress: boolean
  /** The mildest log message the caller asked for; absent: none. */
  readonly logLevel?: string
  /** Tells the caller something before the call ends. Never waits, never throws; may be dropped. */
  emit(event: CallEvent): void
  /** The caller's replies to earlier questions, and the `resume` that came with those. */
  readonly answers?: InputAnswers
}
