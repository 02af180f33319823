import { randomBytes } from 'node:crypto'
import type { ApprovalRequest } from '../../core/approval.ts'
import type { Clock } from '../../core/clock.ts'

/** How far a call had come when it asked its caller something. */
export interface Continuation {
  readonly request: ApprovalRequest
  /** Whether it was agreed to already, and the question is the tool's own. */
  readonly isApproved: boolean
  /** The tool's own state. */
  readonly resume?: string | undefined
  readonly abandon?: (() => void) | undefined
}

/** Calls that asked their caller something in the middle of being confirmed. */
export interface Continuations {
  /** Gives what the call comes back with. */
  put(continuation: Continuation): string
  /** Once, and for the same call only; undefined for anything else. */
  take(resume: string, request: ApprovalRequest): Continuation | undefined
}

/** Beyond it the oldest is dropped, and its call has to begin anew. */
const waitingMax = 1_000
const keptMs = 60 * 60_000

/** Kept in this process alone: after a restart nothing that was agreed to before can be used a second time. */
export function createContinuations(clock: Clock): Continuations {
  const waiting = new Map<string, Continuation & { readonly endsMs: number }>()
  return {
    put(continuation) {
      const [oldest] = waiting
      if (oldest !== undefined && waiting.size >= waitingMax) {
        waiting.delete(oldest[0])
        oldest[1].abandon?.()
      }
      const resume = randomBytes(16).toString('base64url')
      waiting.set(resume, { ...continuation, endsMs: clock.monotonicMs() + keptMs })
      return resume
    },
    take(resume, request) {
      const found = waiting.get(resume)
      waiting.delete(resume)
      if (found === undefined || found.endsMs <= clock.monotonicMs()) return undefined
      return isSame(found.request, request) ? found : undefined
    },
  }
}

function isSame(a: ApprovalRequest, b: ApprovalRequest): boolean {
  return (
    a.tool === b.tool &&
    a.digest === b.digest &&
    a.definitionHash === b.definitionHash &&
    a.caller.tenant === b.caller.tenant &&
    a.caller.subject === b.caller.subject
  )
}
