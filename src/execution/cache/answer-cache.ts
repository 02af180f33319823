import type { Clock } from '../../core/clock.ts'
import { compileGlobs } from '../../core/glob.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { RedisLink } from '../redis/redis-link.ts'
import type { CacheKey } from './cache-key.ts'
import { type CachedAnswer, packAnswer, unpackAnswer } from './cached-answer.ts'
import { type Flight, Flights } from './flights.ts'
import { type Lifetime, type MemoryEntry, MemoryTier } from './memory-tier.ts'
import { type SharedLook, SharedTier } from './shared-tier.ts'

/** How long a write waits until Redis has forgotten; until it has, this process does not read there. */
const forgetMs = 1_000

/** What the cache is built from. */
export interface CacheParts {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly redis?: RedisLink
  readonly memory?: MemoryTier
}

/** D2-036, under the document’s names. */
export interface CacheStats {
  readonly l1_size: number
  readonly l1_max_size: number
  readonly l1_hits: number
  readonly l1_misses: number
  readonly l1_hit_rate: number
  readonly l2_hits: number
  readonly l2_misses: number
  readonly l2_hit_rate: number
}

/** Answers in two tiers, memory and Redis (D2-030 to D2-038). Redis is a help: where it fails, the log says so and no call does. */
export class AnswerCache {
  readonly flights = new Flights()
  readonly #memory: MemoryTier
  readonly #shared: SharedTier | undefined
  readonly #clock: Clock
  readonly #log: Log
  readonly #hits = { l1: 0, l2: 0 }
  readonly #misses = { l1: 0, l2: 0 }

  constructor({ clock, log, metrics, redis, memory = new MemoryTier(clock) }: CacheParts) {
    this.#clock = clock
    this.#log = log
    this.#memory = memory
    this.#shared = redis === undefined ? undefined : new SharedTier(redis)
    this.#shared?.listen((patterns) => this.#forgetHere(patterns))
    this.#expose(metrics)
  }

  /** From memory; a miss there says nothing of Redis. */
  get(key: CacheKey): MemoryEntry | undefined {
    const entry = this.#memory.get(key)
    if (entry === undefined) this.#misses.l1 += 1
    else {
      this.#hits.l1 += 1
      this.#tell({ event: 'cache_hit', tier: 'l1', key })
    }
    return entry
  }

  /** How old an answer is, in milliseconds. */
  ageOf({ storedMs }: MemoryEntry): number {
    return Math.round(this.#clock.monotonicMs() - storedMs)
  }

  /** An answer whose time is over by at most `staleMs`, for when nothing better can be had. */
  getStale(key: CacheKey, staleMs: number): MemoryEntry | undefined {
    const entry = this.#memory.getStale(key)
    return entry !== undefined && this.#clock.monotonicMs() < entry.freshUntilMs + staleMs ? entry : undefined
  }

  /** From Redis, which also fills the memory; what comes of it is needed to store an answer. */
  async look(key: CacheKey, flight: Flight): Promise<SharedLook | undefined> {
    if (this.#shared === undefined) {
      this.#tell({ event: 'cache_miss', key })
      return undefined
    }
    try {
      const look = await this.#shared.get(key)
      // Something that was forgotten meanwhile may be what was found.
      const found = flight.isOutdated ? undefined : look.found
      if (found === undefined) {
        this.#misses.l2 += 1
        this.#tell({ event: 'cache_miss', key })
        return { generation: look.generation }
      }
      this.#hits.l2 += 1
      this.#tell({ event: 'cache_hit', tier: 'l2', key })
      this.#memory.set(key, found, found.life, found.ageMs)
      return look
    } catch (thrown) {
      this.#fail('cache_error', thrown)
      return undefined
    }
  }

  /** Keeps an answer in both tiers; in Redis only where it was looked for there first. Nobody waits for it. */
  store(key: CacheKey, answer: CachedAnswer, life: Lifetime, look: SharedLook | undefined): void {
    const text = packAnswer(answer)
    const copy = text === undefined ? undefined : unpackAnswer(text)
    if (text === undefined || copy === undefined) return
    this.#memory.set(key, { answer: copy, bytes: Buffer.byteLength(text) + key.length }, life)
    this.#tell({ event: 'cache_set', key, ttl: life.ttlMs / 1_000 })
    if (look === undefined) return
    this.#shared
      ?.set(key, text, life, look.generation)
      .catch((thrown) => this.#fail('cache_set_error', thrown))
  }

  /** Forgets the answers of all targets whose ids fit, in both tiers and in all processes; Redis gets a second for it. */
  async forget(patterns: readonly string[]): Promise<void> {
    this.#forgetHere(patterns)
    if (this.#shared === undefined) return
    const told = this.#shared.forget(patterns).catch((thrown) => this.#fail('cache_invalidate_error', thrown))
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(resolve, forgetMs)
      told.then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  /** B-68: a request is counted once a tier that it asked. */
  stats(): CacheStats {
    const [l1, l2] = [
      [this.#hits.l1, this.#misses.l1],
      [this.#hits.l2, this.#misses.l2],
    ] as const
    return {
      l1_size: this.#memory.size,
      l1_max_size: this.#memory.entriesMax,
      l1_hits: l1[0],
      l1_misses: l1[1],
      l1_hit_rate: rate(...l1),
      l2_hits: l2[0],
      l2_misses: l2[1],
      l2_hit_rate: rate(...l2),
    }
  }

  #forgetHere(patterns: readonly string[]): void {
    const matches = compileGlobs(patterns)
    this.flights.forget(matches)
    const count = this.#memory.forget(matches)
    this.#tell({ event: 'cache_invalidate_pattern', patterns, count })
  }

  #tell(fields: object): void {
    if (this.#log.isDebug) this.#log.debug(fields, 'The cache did its work.')
  }

  #fail(event: string, thrown: unknown): void {
    this.#tell({ event, error: String(thrown) })
  }

  #expose(metrics: Metrics): void {
    const tiers = (counts: { readonly l1: number; readonly l2: number }) => () =>
      (['l1', 'l2'] as const).map((tier) => ({ labels: { tier }, value: counts[tier] }))
    metrics.collect(
      'weir_cache_hits_total',
      'Answers that came from the cache.',
      'counter',
      tiers(this.#hits),
    )
    metrics.collect(
      'weir_cache_misses_total',
      'Answers that a tier did not have.',
      'counter',
      tiers(this.#misses),
    )
    metrics.gauge('weir_cache_entries', 'Answers in memory.', () => this.#memory.size)
    metrics.gauge('weir_cache_bytes', 'What the answers in memory weigh.', () => this.#memory.bytes)
  }
}

function rate(hits: number, misses: number): number {
  return hits + misses === 0 ? 0 : hits / (hits + misses)
}
