import type { Caller } from './caller.ts'
import type { StopSignal } from './cancellation.ts'
import type { Entry } from './catalog.ts'
import type { CallEvent } from './event.ts'
import type { Answer, InputAnswers } from './outcome.ts'
import type { Schema } from './schema.ts'
import type { Span } from './trace.ts'

/**
 * What a tool does to the world. Retry, cache and idempotency decide from this
 * alone; hints that an upstream sends are shown to the caller and trusted by nothing.
 */
export type Effect = 'read' | 'idempotent-write' | 'write' | 'destructive'

/** Tells tools from other targets. */
export function isTool(target: Target): target is Tool {
  return target.kind === 'tool'
}

/** Everything a caller can ask for goes the same way through the executor. */
export type Target = Tool | Resource | ResourceTemplate | Prompt | Completion | TaskControl

/** What all kinds of targets have. */
interface TargetBase<I> {
  /** Unique among its kind within the connection: a tool's or prompt's name, a resource's URI, a template's URI template. */
  readonly name: string
  readonly title?: string
  readonly description: string
  readonly effect: Effect
  readonly input: Schema<I>
  readonly output?: Schema
  /**
   * The definition as an upstream server gave it, served to clients field by field as it came
   * (icons, annotations, `_meta`, fields we do not know). Absent for targets of our own.
   */
  readonly definition?: Readonly<Record<string, unknown>>
  /** Whether an argument is used up by the call, such as a cursor: the same call again is another one, or none. Never kept, never retried. */
  readonly isOneUse?: boolean
  /** Longest time one call may take, in milliseconds, where it differs from the default of 30,000 (C-07). */
  readonly timeoutMs?: number
  /**
   * Where a field of the input says which of several systems is meant: their configured names. One of them that fails
   * must not shut the way to the others.
   */
  readonly systems?: { readonly field: string; readonly names: readonly string[] }
  /** Runs once per call, already validated. Throws a WeirError; anything else thrown is an INTERNAL error. */
  run(input: I, context: RunContext): Promise<Answer>
}

/** One named, typed capability. `name` is snake_case within its connection, or an upstream's own. */
export interface Tool<I = unknown> extends TargetBase<I> {
  readonly kind: 'tool'
  /** What people look for it under (D4-032); `general` where absent. */
  readonly category?: string
  /** Policies that a tool of our own declares for itself (D4-010). Declared only: it is the policies that enforce them. */
  readonly confirm?: boolean
  readonly rateLimit?: RateLimit
  /**
   * True for a tool of Weir's own whose answer holds only what its caller may use: it needs no right of its own. Nothing
   * that an upstream sends sets it.
   */
  readonly isForAll?: boolean
  /** Where a call of it may become a task at the upstream: how the task is asked about and ended. */
  readonly tasks?: TaskControl
  /**
   * A tool that stands for others, such as `call_tool`, names the one that is meant, and the arguments for it. Frontends
   * call that one instead, so that its own permission and policies hold. Errors name only what `caller` may use. Throws INVALID_PARAMS or TOOL_NOT_FOUND.
   */
  readonly delegate?: (input: Readonly<Record<string, unknown>>, caller?: Caller) => Delegation
}

/** How often a tool may be called, in words of D4-010: `10/hour`. */
export type RateLimit = `${number}/${'second' | 'minute' | 'hour' | 'day'}`

/** What people look for a tool under (D4-032). */
export function categoryOf({ category }: Tool): string {
  return category ?? 'general'
}

/** What a call is really for: an entry, with whatever a toolset changed of it, and its arguments. */
export interface Delegation {
  readonly entry: Entry<Tool>
  readonly input: Readonly<Record<string, unknown>>
}

/** What a read is of: the URI as its connection knows it. */
export interface ReadInput {
  readonly uri: string
}

/** Something to read, under one URI, which is its `name`. Its result holds `contents`. */
export interface Resource extends TargetBase<ReadInput> {
  readonly kind: 'resource'
  /** The type of its contents, told where it is listed; an upstream's stands in its definition. */
  readonly mimeType?: string
}

/** Many things to read, under URIs of one form, which is its `name`. */
export interface ResourceTemplate extends TargetBase<ReadInput> {
  readonly kind: 'resource-template'
  /** True for what is served and not listed: the URIs that a server answers beside those that it lists. */
  readonly isUnlisted?: boolean
  /** Whether a URI is of this form. Linear in the URI's length. */
  matches(uri: string): boolean
  readonly completion?: Completion
}

/** A text for a model, made from arguments, all of them texts. Its result holds `messages`. */
export interface Prompt extends TargetBase<Readonly<Record<string, string>>> {
  readonly kind: 'prompt'
  readonly completion?: Completion
}

/** MCP's own parameters: which argument, what stands in it so far, and the other arguments as far as they are known. */
export interface CompletionInput {
  readonly argument: { readonly name: string; readonly value: string }
  readonly context?: { readonly arguments?: Readonly<Record<string, string>> }
}

/** Values for an argument of a prompt or template. Its result holds `completion`. It is called under its owner's id. */
export interface Completion extends TargetBase<CompletionInput> {
  readonly kind: 'completion'
}

/** What is done to a task of an upstream, under the upstream's own task id. */
export interface TaskInput {
  readonly method: 'tasks/get' | 'tasks/update' | 'tasks/cancel'
  readonly taskId: string
  /** The rest of the method's parameters. */
  readonly params?: Readonly<Record<string, unknown>>
}

/** Asks about, feeds and ends tasks that a tool has begun. It is called under its tool's id. */
export interface TaskControl extends TargetBase<TaskInput> {
  readonly kind: 'task-control'
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
  /** Set where the call is recorded: a connector may say what it asks of its system, as children of this span. */
  readonly span?: Span
  /** Tells the caller something before the call ends. Never waits, never throws; may be dropped. */
  emit(event: CallEvent): void
  /** The caller's replies to earlier questions, and the `resume` that came with those. */
  readonly answers?: InputAnswers
}
