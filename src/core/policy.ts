import type { Run } from './call.ts'
import type { Entry } from './catalog.ts'

/** What applies to one target: plain data, resolved once when the target enters the pipeline. */
export interface Policy {
  /** Longest time the whole call may take, in milliseconds (C-07: 30,000). */
  readonly timeoutMs: number
}

/**
 * One concern around a call. `wrap` runs once per target, when its chain is composed, and returns
 * `next` itself where the policy is off: what is off costs nothing.
 */
export interface Stage {
  readonly name: string
  wrap(entry: Entry, policy: Policy, next: Run): Run
}
