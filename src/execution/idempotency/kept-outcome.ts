import { WeirError, type WeirErrorOptions } from '../../core/error.ts'
import { type ErrorCode, errorCatalogue } from '../../core/error-catalogue.ts'
import type { IdempotentCall, Reservation } from '../../core/idempotency.ts'
import { type Outcome, type Result, TaskStarted } from '../../core/outcome.ts'

/** The largest answer that is kept, in characters of JSON. */
const keptMax = 256 * 1024

/** How a call ended, in the store's own form. */
type Kept =
  | { readonly result: Result }
  | { readonly task: TaskStarted['task'] }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } & WeirErrorOptions }
  | { readonly isUnknown: true }

/** As JSON; undefined for what is too large. */
export function keepOutcome(outcome: Outcome): string | undefined {
  if (outcome.kind === 'complete') return spell({ result: outcome.result })
  if (outcome.kind === 'task') return spell({ task: outcome.started.task })
  return outcome.kind === 'failed' ? keepFailure(outcome.error) : undefined
}

/** A failure that is certain is kept as it is; one that may hide an effect is kept as unknown. */
export function keepFailure(error: WeirError): string | undefined {
  const { code, message, hint, data } = error
  const isUncertain = error.spec.retryable || uncertain.has(code)
  if (isUncertain) return spell({ isUnknown: true })
  return spell({
    error: {
      ...{ code, message },
      ...(hint === undefined ? {} : { hint }),
      ...(data === undefined ? {} : { data }),
    },
  })
}

/** Beside all that a retry could mend: after these, nobody knows what became of the call. */
const uncertain: ReadonlySet<ErrorCode> = new Set([
  'CANCELLED',
  'INTERNAL',
  'OUTCOME_UNKNOWN',
  'UPSTREAM_PROTOCOL',
])

function spell(kept: Kept): string | undefined {
  try {
    const text = JSON.stringify(kept)
    return text.length <= keptMax ? text : undefined
  } catch {
    // A connector's answer that is no JSON cannot be given twice.
    return undefined
  }
}

/** What a call gets whose key is taken. Throws where that is no answer. */
export function replay(taken: Reservation, wanted: IdempotentCall, now: number): Outcome {
  if (taken.tool !== wanted.tool || taken.digest !== wanted.digest) throw mismatch(taken.tool)
  if (taken.state === 'running') throw now < taken.lostAt ? inFlight() : unknown(wanted.tool)
  if (taken.outcome === undefined) throw notKept(wanted.tool)
  const kept = JSON.parse(taken.outcome) as Kept
  if ('result' in kept) {
    const { result } = kept
    return { kind: 'complete', result: { ...result, _meta: { ...result._meta, 'weir/replayed': true } } }
  }
  if ('task' in kept) return { kind: 'task', started: new TaskStarted(kept.task) }
  if ('error' in kept && Object.hasOwn(errorCatalogue, kept.error.code)) {
    const { code, message, ...more } = kept.error
    throw new WeirError(code, message, { ...more, data: { ...more.data, isReplayed: true } })
  }
  throw unknown(wanted.tool)
}

function mismatch(tool: string): WeirError {
  return new WeirError('IDEMPOTENCY_MISMATCH', `The idempotency key was used for another call, of ${tool}.`, {
    hint: 'Give each call a key of its own, and repeat a call with the same arguments.',
  })
}

function inFlight(): WeirError {
  return new WeirError('IDEMPOTENCY_IN_FLIGHT', 'The call under this idempotency key has not ended yet.', {
    hint: 'Send it again a little later.',
    data: { retryAfterMs: 1_000 },
  })
}

function unknown(tool: string): WeirError {
  return new WeirError('OUTCOME_UNKNOWN', `${tool} may or may not have run under this idempotency key.`, {
    hint: 'Look whether it did; a new key runs it again.',
  })
}

function notKept(tool: string): WeirError {
  return new WeirError(
    'RESULT_NOT_KEPT',
    `${tool} ran under this idempotency key; its answer was not kept.`,
    {
      hint: 'Read what you need with another call.',
      data: { charactersMax: keptMax },
    },
  )
}
