import type { ErrorCode, WeirError } from './error.ts'

/** One MCP content block, passed on as it came. */
export type ContentBlock = { readonly type: string; readonly [field: string]: unknown }

/**
 * What a target answers (C-04), under MCP's own field names, so that an upstream's answer
 * passes through untouched, unknown fields included. Without `content`, an edge renders
 * `structuredContent` as one JSON text block.
 */
export interface Result {
  readonly content?: readonly ContentBlock[]
  readonly structuredContent?: unknown
  readonly isError?: boolean
  readonly _meta?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

const faults = new WeakMap<Result, WeirError>()

/**
 * Says of a result with `isError` that the system behind it is at fault, and how: an HTTP API's 503 is shown to the
 * caller as it is, and is a failure of the API nevertheless, which retry and breaker have to know. Gives the result.
 */
export function tellFault(result: Result, fault: WeirError): Result {
  faults.set(result, fault)
  return result
}

/** What was told of the result. A result that does not say so itself is a tool’s own answer, however bad. */
export function faultOf(result: Result): WeirError | undefined {
  return result.isError === true ? faults.get(result) : undefined
}

/** Questions to the user or the client, by key: each an MCP request (`elicitation/create`, …) without an id. */
export type Questions = Readonly<Record<string, unknown>>

/** The replies by the same keys, each a result or an InputRefused, and the state that was handed out with the questions. */
export interface InputAnswers {
  readonly responses: Readonly<Record<string, unknown>>
  readonly resume?: string
}

/** In the place of a reply: what a client of the old era said instead of answering. A class for the same reason as InputRequired. */
export class InputRefused {
  /** The method of the question. */
  readonly method: string
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown }

  constructor(method: string, error: InputRefused['error']) {
    this.method = method
    this.error = error
  }
}

/**
 * What a tool answers that needs its caller's replies first. A class, because an upstream's answer
 * is a plain object and could spell any field, but never this prototype.
 */
export class InputRequired {
  readonly questions: Questions
  /** The tool's own state, opaque to everyone else. Frontends seal it before it leaves. */
  readonly resume: string | undefined
  /** Lets go of what waits for the answers. Whoever knows that none will come calls it; calling it late or twice is safe. */
  readonly abandon: (() => void) | undefined

  constructor(questions: Questions, resume?: string, abandon?: () => void) {
    this.questions = questions
    this.resume = resume
    this.abandon = abandon
  }
}

/**
 * What a tool answers that has begun a task at its upstream, which outlives the call: the task as the upstream tells of
 * it, under MCP's own field names, with the upstream's own `taskId`. Only for a client that said it can follow tasks.
 */
export class TaskStarted {
  readonly task: Readonly<Record<string, unknown>> & { readonly taskId: string }

  constructor(task: TaskStarted['task']) {
    this.task = task
  }
}

/** What a target may answer. */
export type Answer = Result | InputRequired | TaskStarted

/** Why an answer is not the tool's own, which could not be had (C-26). Every dialect shows it. */
export interface Degradation {
  readonly reason: string
  readonly code: ErrorCode
  readonly retryAfterMs?: number
}

/** A call that did not run, because nobody has decided yet whether it may. The same call again collects the decision. */
export interface Pending {
  readonly tool: string
  readonly approvalId: string
  /** ISO 8601. */
  readonly expiresAt: string
}

/** How a call ended. The executor always answers with one of these and never throws. */
export type Outcome =
  | { readonly kind: 'complete'; readonly result: Result; readonly degraded?: Degradation }
  | { readonly kind: 'input-required'; readonly required: InputRequired }
  | { readonly kind: 'task'; readonly started: TaskStarted }
  | { readonly kind: 'pending'; readonly pending: Pending }
  | { readonly kind: 'failed'; readonly error: WeirError }
