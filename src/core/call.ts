import type { Caller } from './caller.ts'
import type { Cancellation } from './cancellation.ts'
import type { Entry } from './catalog.ts'
import type { CallEvent } from './event.ts'
import type { Standing } from './limit.ts'
import type { InputAnswers, Outcome } from './outcome.ts'
import type { Span } from './trace.ts'

/** One request to run one target. Frontends build it, stages read it, nobody changes it. */
export interface Call {
  /** Unique in this process and in its logs. */
  readonly id: string
  readonly entry: Entry
  readonly input: unknown
  readonly caller: Caller
  /** How the call is stopped: by a client that leaves, by the deadline, by shutdown. */
  readonly cancellation: Cancellation
  /** The dialect it came by: `mcp`, `rest`, `cli`. */
  readonly via: string
  /** What the caller says of why it makes the call, for the audit alone (D4-019). */
  readonly note?: CallNote
  /** Where stages leave what the audit is to know. Absent where nobody wants to know. */
  readonly trail?: CallTrail
  readonly meta?: Readonly<Record<string, unknown>>
  readonly clientCapabilities?: Readonly<Record<string, unknown>>
  readonly logLevel?: string
  readonly answers?: InputAnswers
  /** Set where the call is recorded. */
  readonly span?: Span
  /** The client’s own name for this call: whoever sends it twice means one call (R2). */
  readonly idempotencyKey?: string
  /** Told when the target itself is run: from then on there may be an effect. Must not throw. */
  readonly onDispatch?: () => void
  /** True where the client asked for progress. */
  readonly wantsProgress?: boolean
  /** Absent where the client listens for nothing. Must not throw. */
  readonly emit?: (event: CallEvent) => void
  /** Hears how the caller stands with its limit, where there is one and the dialect can say so. Must not throw. */
  readonly onStanding?: (standing: Standing) => void
}

/** An assistant’s own words about a call. */
export interface CallNote {
  readonly thought?: string
  readonly step?: string
}

/** What was decided about a call on its way: the one thing of a call that is written to. */
export interface CallTrail {
  /** `allowed` or `denied`, and by which rule. */
  decision?: string
  rule?: string
  /** The id of the approval that let it pass. */
  approval?: string
  idempotencyKey?: string
  /** True once the audit holds durably that it is about to be sent. */
  isIntentKept?: boolean
}

/** A call's way through the rest of the pipeline; rejects with whatever a stage or a tool threw, and never throws at once: the stages rely on it. */
export type Run = (call: Call) => Promise<Outcome>

/** The only door to a tool. Always answers, never throws. */
export interface Executor {
  execute(call: Call): Promise<Outcome>
}
