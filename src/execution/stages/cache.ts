import type { Call, Run } from '../../core/call.ts'
import type { Entry } from '../../core/catalog.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { CacheRule, Policy, Stage } from '../../core/policy.ts'
import { isTool } from '../../core/tool.ts'
import type { AnswerCache } from '../cache/answer-cache.ts'
import { type CacheKey, createKeyOf } from '../cache/cache-key.ts'
import { type CachedAnswer, isKeepable, readMissing, restoreMissing } from '../cache/cached-answer.ts'
import { type Flight, type Landing, waitUnlessStopped } from '../cache/flights.ts'
import type { Lifetime, MemoryEntry } from '../cache/memory-tier.ts'

/**
 * Answers again what was answered before, to the same caller, for the same arguments; and forgets what a write makes
 * wrong. Only reads are kept, and only whole and good answers.
 */
export function createCacheStage(cache: AnswerCache): Stage {
  return {
    name: 'cache',
    wrap(entry, policy, next) {
      const run =
        policy.cache !== undefined && canBeKept(entry)
          ? createCachedRun(cache, entry, policy, policy.cache, next)
          : next
      const { invalidates } = policy
      if (invalidates === undefined || entry.target.effect === 'read') return run
      // A write that failed may have had its effect.
      return async (call) => {
        try {
          return await run(call)
        } finally {
          await cache.forget(invalidates)
        }
      }
    },
  }
}

function canBeKept({ target }: Entry): boolean {
  if (target.effect !== 'read' || target.isOneUse === true) return false
  if (target.kind === 'completion' || target.kind === 'task-control') return false
  // Its fixed arguments are in no call of it; the one it stands for has its own answers.
  return !isTool(target) || target.delegate === undefined
}

function createCachedRun(cache: AnswerCache, entry: Entry, policy: Policy, rule: CacheRule, next: Run): Run {
  const isPublic = rule.isPublic === true
  const keyOf = createKeyOf(entry, isPublic)
  const staleMs = policy.fallback?.staleMs ?? 0
  const life: Lifetime = { ttlMs: rule.ttlMs, staleMs }
  const readError = (thrown: unknown) => (rule.negativeTtlMs === undefined ? undefined : readMissing(thrown))

  const lead = async (call: Call, key: CacheKey, flight: Flight): Promise<Outcome> => {
    const look = await cache.look(key, flight)
    if (look?.found !== undefined) return replay(look.found.answer, look.found.ageMs)
    try {
      const outcome = await next(call)
      if (outcome.kind === 'complete' && isKeepable(outcome.result, isPublic) && !flight.isOutdated) {
        cache.store(key, { result: outcome.result }, life, look)
      }
      return outcome
    } catch (thrown) {
      const missing = readError(thrown)
      if (missing !== undefined && !flight.isOutdated) {
        cache.store(key, missing, { ttlMs: rule.negativeTtlMs!, staleMs: 0 }, look)
      }
      throw thrown
    }
  }

  const fetch = async (call: Call, key: CacheKey): Promise<Outcome> => {
    for (;;) {
      const under = cache.flights.find(key)
      if (under === undefined) break
      const landing = await waitUnlessStopped(under.landed, call.cancellation)
      if (landing === 'alone') return next(call)
      if (landing !== 'again') return follow(landing)
    }
    const flight = cache.flights.start(key)
    return flight === undefined ? next(call) : fly(call, flight, isPublic, lead(call, key, flight))
  }

  return (call) => {
    // Replies belong to a run that asked, and its answer to whoever replied.
    if (call.answers !== undefined) return next(call)
    const key = keyOf(call)
    const hit = cache.get(key)
    return hit === undefined ? fetch(call, key) : replayEntry(cache, hit)
  }
}

/**
 * Lands the flight when its run ends, or at once when its caller leaves: a tool that goes on regardless holds nobody up.
 * What is not kept is not shared either: a cursor is for one, and what is private is for whoever asked.
 */
async function fly(
  { cancellation }: Call,
  flight: Flight,
  isPublic: boolean,
  run: Promise<Outcome>,
): Promise<Outcome> {
  const leave = () => flight.land('again')
  cancellation.addEventListener('abort', leave)
  try {
    const outcome = await run
    const isShared = outcome.kind === 'complete' && isKeepable(outcome.result, isPublic)
    flight.land(isShared ? { outcome } : 'alone')
    return outcome
  } catch (thrown) {
    flight.land(cancellation.aborted ? 'again' : isPublic ? 'alone' : { thrown })
    throw thrown
  } finally {
    cancellation.removeEventListener('abort', leave)
  }
}

function follow(landing: Exclude<Landing, string>): Outcome {
  if ('thrown' in landing) throw landing.thrown
  return landing.outcome
}

function replayEntry(cache: AnswerCache, entry: MemoryEntry): Promise<Outcome> {
  return replay(entry.answer, cache.ageOf(entry))
}

/** The answer again, marked as what it is. */
function replay(answer: CachedAnswer, ageMs: number): Promise<Outcome> {
  if ('missing' in answer) return Promise.reject(restoreMissing(answer.missing))
  const { result } = answer
  const _meta = { ...result._meta, 'weir/cache': { hit: true, ageMs } }
  return Promise.resolve({ kind: 'complete', result: { ...result, _meta } })
}
