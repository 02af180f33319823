import type { Clock } from '../../core/clock.ts'
import type { Door } from '../../core/limit.ts'
import type { RateRule } from '../../core/policy.ts'
import { createRefusal } from './create-refusal.ts'
import { LocalBuckets } from './local-buckets.ts'
import { keyOfCaller, type Quota, readQuota } from './quota.ts'

/** A rule of the door is for each caller or for all; without rules everybody is let in, at no cost. */
export function createDoor(rules: readonly RateRule[], clock: Clock): Door {
  const buckets = new LocalBuckets(clock)
  const quotas = rules.map((rule) => readQuota(rule, `${rule.per}:${rule.limit}:${rule.burst ?? ''}`))
  const ofAll = quotas.filter(({ rule }) => rule.per !== 'caller')
  const ofEach = quotas.filter(({ rule }) => rule.per === 'caller')
  const pass = (wanted: readonly Quota[]) => {
    const verdict = buckets.take(wanted)
    if (!verdict.isTaken) throw createRefusal('Asking Weir', verdict)
  }
  return {
    enter() {
      if (ofAll.length > 0) pass(ofAll)
    },
    admit(caller) {
      if (ofEach.length > 0) pass(ofEach.map((quota) => ({ ...quota, key: keyOfCaller(quota.key, caller) })))
    },
  }
}
