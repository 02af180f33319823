import type { Call } from '../../core/call.ts'
import type { Entry } from '../../core/catalog.ts'
import { toWeirError, type WeirError } from '../../core/error.ts'
import { type Degradation, faultOf, type Outcome, type Result } from '../../core/outcome.ts'
import type { FallbackRule, Stage } from '../../core/policy.ts'
import { toJsonSchema } from '../../core/schema.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { compileJsonSchema } from '../json-schema-validator.ts'

/** Where answers are that are too old to be given, unless nothing better can be had. */
export interface StaleAnswers {
  /** An answer to the same call by the same caller that ended its time at most `staleMs` ago. */
  find(call: Call, staleMs: number): Result | undefined
}

/** What the stage writes to and reads from. */
export interface FallbackParts {
  readonly log: Log
  readonly metrics: Metrics
  readonly stale?: StaleAnswers | undefined
}

/**
 * Answers where the tool cannot (D0-104), and says so (C-26): only where the failure may pass, never where the caller
 * is wrong or Weir is (B-30), and never for a write that may have happened.
 */
export function createFallbackStage(parts: FallbackParts): Stage {
  return {
    name: 'fallback',
    wrap(entry, { fallback }, next) {
      const find = fallback === undefined ? undefined : createFinder(entry, fallback, parts)
      if (find === undefined) return next
      const degrade = createDegrader(entry, find, parts)
      return (call) =>
        new Promise((resolve, reject) => {
          // A tool that hangs answers nothing; the deadline leaves a moment for what is found here.
          const stop = () => {
            const degraded = degrade(call, call.cancellation.reason!)
            if (degraded !== undefined) resolve(degraded)
          }
          call.cancellation.addEventListener('abort', stop)
          const leave = () => call.cancellation.removeEventListener('abort', stop)
          next(call).then(
            (outcome) => {
              leave()
              const fault = outcome.kind === 'complete' ? faultOf(outcome.result) : undefined
              resolve((fault && degrade(call, fault)) ?? outcome)
            },
            (thrown) => {
              leave()
              const degraded = degrade(call, call.cancellation.reason ?? toWeirError(thrown))
              if (degraded === undefined) reject(thrown)
              else resolve(degraded)
            },
          )
        })
    },
  }
}

type Find = (call: Call) => Result | undefined

/** Undefined where nothing can ever be found. */
function createFinder(
  entry: Entry,
  { staleMs, value }: FallbackRule,
  parts: FallbackParts,
): Find | undefined {
  const { stale } = parts
  // What a resource or prompt answers has a form that no value of the file has.
  const findValue =
    value === undefined || entry.target.kind !== 'tool' ? undefined : createValue(entry, value, parts.log)
  if (stale === undefined || staleMs === undefined) return findValue
  return (call) => stale.find(call, staleMs) ?? findValue?.()
}

/** Checked at its first use, as a client would: a value that the tool could not have answered is not answered. */
function createValue({ id, target }: Entry, value: unknown, log: Log): () => Result | undefined {
  let result: Result | undefined
  let isChecked = false
  return () => {
    if (isChecked) return result
    isChecked = true
    const issues = target.output === undefined ? [] : compileJsonSchema(toJsonSchema(target.output))(value)
    if (issues.length === 0) result = { structuredContent: value }
    else {
      log.error(
        { event: 'fallback_unfit', tool: id, issues },
        'The fallback value does not match the tool’s output schema and is not used.',
      )
    }
    return result
  }
}

function createDegrader(
  { id }: Entry,
  find: Find,
  { log, metrics }: FallbackParts,
): (call: Call, error: WeirError) => Outcome | undefined {
  const count = metrics.counter('weir_degraded_answers_total', 'Answers given in place of a tool’s own.', {
    tool: id,
  })
  return (call, error) => {
    const { retryable, audience } = error.spec
    if (!retryable || audience === 'caller') return undefined
    const result = find(call)
    if (result === undefined) return undefined
    count.value += 1
    const isOpen = error.code === 'CIRCUIT_OPEN'
    log.info(
      {
        event: isOpen ? 'circuit_breaker_fallback' : 'using_fallback_data',
        tool: id,
        call: call.id,
        code: error.code,
        error: error.message,
      },
      'A degraded answer is given.',
    )
    return { kind: 'complete', result, degraded: describeDegradation(error) }
  }
}

function describeDegradation({ code, message, data }: WeirError): Degradation {
  const retryAfterMs = data?.['retryAfterMs']
  return { reason: message, code, ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}) }
}
