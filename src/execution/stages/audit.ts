import { type AuditDraft, beginDraft } from '../../core/audit.ts'
import type { Call, CallTrail } from '../../core/call.ts'
import type { Entry } from '../../core/catalog.ts'
import type { Clock } from '../../core/clock.ts'
import { toWeirError, WeirError } from '../../core/error.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { Stage } from '../../core/policy.ts'
import type { AuditWriter } from '../audit/audit-writer.ts'
import { hashDefinition } from '../audit/hash-definition.ts'

/** What the audit is written with. */
export interface AuditStageOptions {
  readonly writer: AuditWriter
  readonly clock: Clock
  /** Whether calls that change nothing are noted down too. Refusals are, either way. */
  readonly reads: boolean
}

/** Refusals that a caller can cause by the thousand: summed, so that it cannot fill the audit with them. */
const denials: ReadonlySet<string> = new Set(['PERMISSION_DENIED', 'RATE_LIMITED', 'UNAUTHENTICATED'])

/**
 * Notes down how every call ended (D4-081). It stands around whatever may refuse a call, so that refusals are seen. A
 * call that changes something has its record written without delay, and everything else within a tenth of a second; the
 * caller waits for neither.
 */
export function createAuditStage({ writer, clock, reads }: AuditStageOptions): Stage {
  return {
    name: 'audit',
    wrap(entry, _policy, next) {
      // What a person types, asked at every key: of no use to anybody.
      if (entry.target.kind === 'completion') return next
      const isRead = entry.target.effect === 'read'
      const description = createDescription(entry)
      const finish = (call: Call, trail: CallTrail, startMs: number, outcome: string, error?: string) => {
        const durationUs = Math.round((clock.monotonicMs() - startMs) * 1_000)
        const at = clock.now()
        if (error !== undefined && denials.has(error)) {
          const decision = trail.decision ?? 'denied'
          const { input: _, ...draft } = description.describe('denials', call, trail)
          writer.noteDenial({ ...draft, at, decision, outcome: 'denied', error })
        } else if (!isRead) {
          const draft =
            trail.isIntentKept === true ? describeOutcome(call) : description.describe('call', call, trail)
          writer.noteEffect({ ...draft, at, outcome, error, durationUs })
        } else if (reads) {
          const draft = description.describeRest(call, trail)
          draft.at = at
          draft.outcome = outcome
          if (error !== undefined) draft.error = error
          draft.durationUs = durationUs
          writer.note(draft, description.begun)
        }
      }
      return (given) => {
        const startMs = clock.monotonicMs()
        const trail: CallTrail = {}
        const call = { ...given, trail }
        return next(call).then(
          (outcome) => {
            finish(call, trail, startMs, nameOutcome(outcome), codeOf(outcome))
            return outcome
          },
          (thrown) => {
            const { code } = given.cancellation.reason ?? toWeirError(thrown)
            finish(call, trail, startMs, 'failed', code)
            throw thrown
          },
        )
      }
    },
  }
}

/**
 * The inner half, the last before the tool itself: what changes something is not sent before it is durable that it is
 * about to be. Where that cannot be, the call is refused (R17). What is refused earlier has had no effect and needs no
 * intent.
 */
export function createAuditIntentStage({ writer, clock }: AuditStageOptions): Stage {
  return {
    name: 'audit-intent',
    wrap(entry, _policy, next) {
      if (entry.target.effect === 'read' || entry.target.kind === 'completion') return next
      const description = createDescription(entry)
      return async (call) => {
        const { trail = {} } = call
        try {
          await writer.writeNow({ ...description.describe('intent', call, trail), at: clock.now() })
        } catch (cause) {
          throw new WeirError('AUDIT_UNAVAILABLE', `${entry.id} was not run: the audit cannot be written.`, {
            hint: 'Try again later: once its store can be written, Weir goes on by itself. What only reads is served meanwhile.',
            cause,
          })
        }
        trail.isIntentKept = true
        // Its caller may have left, or its time have passed, while the disk was waited for.
        if (call.cancellation.reason !== undefined) throw call.cancellation.reason
        return next(call)
      }
    },
  }
}

type Draft = { -readonly [K in keyof AuditDraft]?: AuditDraft[K] }

/** What is said of every call of one target, and is put together at its first. */
interface Description {
  /** Everything that is known of a call before its end. */
  describe(kind: AuditDraft['kind'], call: Call, trail: CallTrail): AuditDraft
  /** The same in two parts: what all calls have in common, encoded once, and the rest, to be completed. */
  readonly begun: string
  describeRest(call: Call, trail: CallTrail): Draft
}

function createDescription({ id: tool, target }: Entry): Description {
  let facts: Pick<AuditDraft, 'tool' | 'definition' | 'effect'> | undefined
  let begun: string | undefined
  const readFacts = () => {
    facts ??= { tool, definition: hashDefinition(target), effect: target.effect }
    return facts
  }
  return {
    describe: (kind, call, trail) => ({ kind, at: 0, ...readFacts(), ...describeRest(call, trail) }),
    get begun() {
      begun ??= beginDraft({ kind: 'call', ...readFacts() })
      return begun
    },
    describeRest,
  }
}

function describeRest({ id: call, caller, via, input, note, meta }: Call, trail: CallTrail): Draft {
  const { subject, tenant } = caller
  const draft: Draft = { call, subject, tenant, via, input }
  // Most calls have none of it, and what is not there need not be written out.
  if (trail.decision !== undefined) draft.decision = trail.decision
  if (trail.rule !== undefined) draft.rule = trail.rule
  if (trail.approval !== undefined) draft.approval = trail.approval
  if (trail.idempotencyKey !== undefined) draft.idempotencyKey = trail.idempotencyKey
  if (meta !== undefined) draft.traceparent = meta['traceparent']
  if (note !== undefined) {
    draft.thought = note.thought
    draft.step = note.step
  }
  return draft
}

/** The intent says the rest. */
function describeOutcome({ id, entry, caller }: Call): AuditDraft {
  const { subject, tenant } = caller
  return { kind: 'outcome', at: 0, call: id, subject, tenant, tool: entry.id }
}

function nameOutcome(outcome: Outcome): string {
  if (outcome.kind !== 'complete') return outcome.kind
  return outcome.result.isError === true ? 'tool-error' : 'ok'
}

function codeOf(outcome: Outcome): string | undefined {
  return outcome.kind === 'failed' ? outcome.error.code : undefined
}
