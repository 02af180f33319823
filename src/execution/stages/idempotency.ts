import { randomBytes } from 'node:crypto'
import type { Call, Run } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { toWeirError, type WeirError, wasNotSent } from '../../core/error.ts'
import type { IdempotencyKey, IdempotencyStore, IdempotentCall } from '../../core/idempotency.ts'
import type { Logger } from '../../core/logger.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { Stage } from '../../core/policy.ts'
import { isTool } from '../../core/tool.ts'
import { digestJson } from '../digest-json.ts'
import { keepFailure, keepOutcome, replay } from '../idempotency/kept-outcome.ts'

/** What keys are kept with. */
export interface IdempotencyParts {
  readonly store: IdempotencyStore
  readonly clock: Clock
  readonly log: Logger
  /** How long a call may wait for approval on top of its own time. */
  readonly holdMs: number
}

/** What storing the end of a call may take beside the call itself. */
const graceMs = 5_000

/**
 * A call with a key runs once (R2): the key is durably taken before anything is sent, and whoever brings it again gets
 * the same answer. What may or may not have happened is said to be unknown and never run again. Reads need no key.
 */
export function createIdempotencyStage(parts: IdempotencyParts): Stage {
  return {
    name: 'idempotency',
    wrap({ id, target }, policy, next) {
      if (!isTool(target) || target.effect === 'read') return next
      const lastsMs = policy.timeoutMs + (policy.confirm === undefined ? 0 : parts.holdMs) + graceMs
      return (call) =>
        call.idempotencyKey === undefined ? next(call) : runOnce(parts, id, lastsMs, call, next)
    },
  }
}

async function runOnce(
  parts: IdempotencyParts,
  tool: string,
  lastsMs: number,
  call: Call,
  next: Run,
): Promise<Outcome> {
  const { tenant, subject } = call.caller
  const key: IdempotencyKey = { tenant, subject, key: call.idempotencyKey! }
  const wanted: IdempotentCall = { tool, digest: digestJson(call.input) }
  const holder = new Holder(parts, key)
  const taken = await holder.reserve(wanted, lastsMs)
  if (taken !== undefined) return replay(taken, wanted, parts.clock.now())
  let wasDispatched = false
  const onDispatch = () => {
    wasDispatched = true
  }
  let outcome: Outcome
  try {
    outcome = await next({ ...call, onDispatch })
  } catch (thrown) {
    const error = call.cancellation.reason ?? toWeirError(thrown)
    if (!wasDispatched || changedNothing(error)) await holder.release()
    else await holder.finish(keepFailure(error))
    throw thrown
  }
  // Neither has run: the one waits for an approval, the other for an answer, and the same call comes again.
  if (outcome.kind === 'pending' || outcome.kind === 'input-required') await holder.release()
  else await holder.finish(keepOutcome(outcome))
  return outcome
}

/** What says itself that there was no effect. */
function changedNothing(error: WeirError): boolean {
  return wasNotSent(error) || error.code === 'SQL_CONFLICT' || error.code === 'MAIL_DEFERRED'
}

/** Whoever has taken a key for one call. */
class Holder {
  readonly #parts: IdempotencyParts
  readonly #key: IdempotencyKey
  readonly #token = randomBytes(16).toString('base64url')

  constructor(parts: IdempotencyParts, key: IdempotencyKey) {
    this.#parts = parts
    this.#key = key
  }

  async reserve(call: IdempotentCall, lastsMs: number) {
    const { store, clock } = this.#parts
    const holder = { token: this.#token, lostAt: clock.now() + lastsMs }
    try {
      return await store.reserve(this.#key, call, holder)
    } catch (thrown) {
      // It may have been written all the same, and nothing has run under it.
      void this.release()
      throw thrown
    }
  }

  /** The effect is there, whether or not the store can say so later: its answer is the caller's. */
  async finish(outcome: string | undefined): Promise<void> {
    await this.#try(this.#parts.store.finish(this.#key, this.#token, outcome))
  }

  async release(): Promise<void> {
    await this.#try(this.#parts.store.release(this.#key, this.#token))
  }

  async #try(change: Promise<void>): Promise<void> {
    try {
      await change
    } catch (thrown) {
      const { code, message } = toWeirError(thrown)
      this.#parts.log.warn(
        { event: 'idempotency.unkept', code, error: message },
        'The end of a call was not kept.',
      )
    }
  }
}
