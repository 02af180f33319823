import type { Call } from '../../core/call.ts'
import type { Entry } from '../../core/catalog.ts'
import type { StaleAnswers } from '../stages/fallback.ts'
import type { AnswerCache } from './answer-cache.ts'
import { type CacheKey, createKeyOf } from './cache-key.ts'

type KeyOf = (call: Call) => CacheKey

/** What the cache has kept beyond its time, for whoever answers in a tool's place: the caller's own before one that all share. */
export function createStaleAnswers(cache: AnswerCache): StaleAnswers {
  const keys = new WeakMap<Entry, readonly KeyOf[]>()
  const keysOf = (entry: Entry): readonly KeyOf[] => {
    const known = keys.get(entry) ?? [createKeyOf(entry, false), createKeyOf(entry, true)]
    keys.set(entry, known)
    return known
  }
  return {
    find(call, staleMs) {
      for (const keyOf of keysOf(call.entry)) {
        const answer = cache.getStale(keyOf(call), staleMs)?.answer
        if (answer !== undefined && 'result' in answer) return answer.result
      }
      return undefined
    },
  }
}
