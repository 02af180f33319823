import type { Caller } from './caller.ts'
import type { Cancellation } from './cancellation.ts'
import type { Entry } from './catalog.ts'
import type { CallEvent } from './event.ts'
import type { Standing } from './limit.ts'
import type { InputAnswers, Outcome } from './outcome.ts'

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
  readonly meta?: Readonly<Record<string, unknown>>
  readonly clientCapabilities?: Readonly<Record<string, unknown>>
  readonly logLevel?: string
  readonly answers?: InputAnswers
  /** True where the client asked for progress. */
  readonly wantsProgress?: boolean
  /** Absent where the client listens for nothing. Must not throw. */
  readonly emit?: (event: CallEvent) => void
  /** Hears how the caller stands with its limit, where there is one and the dialect can say so. Must not throw. */
  readonly onStanding?: (standing: Standing) => void
}

/** A call's way through the rest of the pipeline; rejects with whatever a stage or a tool threw, and never throws at once: the stages rely on it. */
export type Run = (call: Call) => Promise<Outcome>

/** The only door to a tool. Always answers, never throws. */
export interface Executor {
  execute(call: Call): Promise<Outcome>
}
