import type { Clock } from '../../core/clock.ts'
import { type CacheKey, idOfKey } from './cache-key.ts'
import type { CachedAnswer } from './cached-answer.ts'

/** D2-033, and a bound on what they weigh together. */
const bounds = { entriesMax: 1_000, bytesMax: 64 * 1024 * 1024, ttlMsMax: 300_000 }

interface MemoryBounds {
  readonly entriesMax: number
  readonly bytesMax: number
}

/** How long an answer is fresh, and for how long after that it is better than none. */
export interface Lifetime {
  readonly ttlMs: number
  readonly staleMs: number
}

/** One answer. */
export interface MemoryEntry {
  readonly answer: CachedAnswer
  readonly bytes: number
  readonly storedMs: number
  readonly freshUntilMs: number
  readonly keptUntilMs: number
}

/** The first tier: this process's memory. Least recently used goes first (B-66); each entry has its own end (B-64). */
export class MemoryTier {
  readonly entriesMax: number
  readonly #bytesMax: number
  readonly #clock: Clock
  readonly #entries = new Map<CacheKey, MemoryEntry>()
  #bytes = 0

  constructor(clock: Clock, { entriesMax, bytesMax }: MemoryBounds = bounds) {
    this.#clock = clock
    this.entriesMax = entriesMax
    this.#bytesMax = bytesMax
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The answer while it is fresh. Having been asked for makes it the last to go. */
  get(key: CacheKey): MemoryEntry | undefined {
    const entry = this.#find(key)
    if (entry === undefined || this.#clock.monotonicMs() >= entry.freshUntilMs) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry
  }

  /** The answer even where its time is over, as long as it was asked to be kept. */
  getStale(key: CacheKey): MemoryEntry | undefined {
    return this.#find(key)
  }

  /** `ageMs`: how old it is already. */
  set(key: CacheKey, entry: Pick<MemoryEntry, 'answer' | 'bytes'>, life: Lifetime, ageMs = 0): void {
    this.#remove(key)
    if (entry.bytes > this.#bytesMax) return
    const nowMs = this.#clock.monotonicMs()
    this.#entries.set(key, {
      ...entry,
      storedMs: nowMs - ageMs,
      freshUntilMs: nowMs + Math.min(life.ttlMs, bounds.ttlMsMax),
      keptUntilMs: nowMs + life.ttlMs + life.staleMs,
    })
    this.#bytes += entry.bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.entriesMax && this.#bytes <= this.#bytesMax) break
      this.#remove(oldest)
    }
  }

  /** Forgets what was answered by the targets that match; says how many answers. */
  forget(matches: (id: string) => boolean): number {
    const keys = [...this.#entries.keys()].filter((key) => matches(idOfKey(key)))
    for (const key of keys) this.#remove(key)
    return keys.length
  }

  #find(key: CacheKey): MemoryEntry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || this.#clock.monotonicMs() < entry.keptUntilMs) return entry
    this.#remove(key)
    return undefined
  }

  #remove(key: CacheKey): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }
}
