import type { Call, Run } from '../../core/call.ts'
import type { Entry } from '../../core/catalog.ts'
import type { Outcome, Result } from '../../core/outcome.ts'
import type { Policy } from '../../core/policy.ts'
import type { Tool } from '../../core/tool.ts'
import { createMetrics, type Metrics } from '../../telemetry/metrics.ts'
import { createFakeClock, type FakeClock } from '../../testing/fake-clock.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import type { RedisLink } from '../redis/redis-link.ts'
import { silentLog } from '../silent-log.fixture.ts'
import { createCacheStage } from '../stages/cache.ts'
import { AnswerCache } from './answer-cache.ts'
import { MemoryTier } from './memory-tier.ts'

/** What a run behind the cache does; its answer names the run by its number, unless told otherwise. */
export type Behaviour = (call: Call, run: number) => Promise<Outcome> | Result

/** A cache with tools behind it, and what ran of them. */
export interface Cached {
  readonly clock: FakeClock
  readonly metrics: Metrics
  readonly cache: AnswerCache
  /** The calls that reached the tools. */
  readonly ran: Call[]
  behave: Behaviour
  /** A chain of its own for a tool of this kind. */
  tool(more?: Partial<Tool>, rules?: Partial<Policy>): (more?: Partial<Call>) => Promise<Outcome>
}

export function createCached(
  options: { redis?: RedisLink; memory?: { entriesMax: number; bytesMax: number } } = {},
): Cached {
  const clock = createFakeClock()
  const metrics = createMetrics()
  const { redis, memory } = options
  const cache = new AnswerCache({
    ...{ clock, metrics, log: silentLog },
    ...(redis && { redis }),
    memory: new MemoryTier(clock, memory),
  })
  const stage = createCacheStage(cache)
  const ran: Call[] = []
  const self: Cached = {
    ...{ clock, metrics, cache, ran },
    behave: (_call, run) => ({ structuredContent: { run } }),
    tool(more = {}, rules = { cache: { ttlMs: 60_000 } }) {
      const entry: Entry = createEntry(more)
      const next: Run = async (call) => {
        ran.push(call)
        const answer = await self.behave(call, ran.length)
        return 'kind' in answer ? (answer as Outcome) : { kind: 'complete', result: answer }
      }
      const run = stage.wrap(entry, { ...policy, ...rules }, next)
      return (call) => run(createCall(entry, call))
    },
  }
  return self
}

/** The number of the run that an answer came from. */
export function runOf(outcome: Outcome): unknown {
  if (outcome.kind !== 'complete') return outcome.kind
  return (outcome.result.structuredContent as { run?: unknown } | undefined)?.run
}
