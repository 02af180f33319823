import { createHash, randomUUID } from 'node:crypto'
import { compileGlobs } from '../../core/glob.ts'
import type { RedisLink, Script } from '../redis/redis-link.ts'
import { type CacheKey, idOfKey } from './cache-key.ts'
import { type CachedAnswer, unpackAnswer } from './cached-answer.ts'
import type { Lifetime } from './memory-tier.ts'

/** How values are written. What another version wrote is not read (B-63). */
const version = '1'
const channel = 'cache:forget'
const messageCharsMax = 64 * 1024
const scanCount = '100'
/** Patterns that Redis could not be told of; beyond, everything is forgotten when it is back. */
const owedMax = 1_000

const script = (text: string): Script => ({ text, sha1: createHash('sha1').update(text).digest('hex') })

/** A value, how long it will live, and the generation: how often something was forgotten. */
const read = script(
  `return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]), redis.call('GET', KEYS[2]) or '0'}`,
)
/** What was read before something was forgotten may be what was forgotten (B-70). */
const write = script(`
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`)

/** What a look into Redis gave: perhaps an answer, and what a later write has to say. */
export interface SharedLook {
  readonly generation: string
  readonly found?: {
    readonly answer: CachedAnswer
    readonly bytes: number
    readonly life: Lifetime
    readonly ageMs: number
  }
}

/** The second tier: Redis, for several processes. Everything here may reject; nobody depends on it (D2-037). */
export class SharedTier {
  readonly #link: RedisLink
  readonly #self = randomUUID()
  readonly #owed = new Set<string>()
  #repaying: Promise<void> | undefined

  constructor(link: RedisLink) {
    this.#link = link
  }

  /** Calls back with what another process forgets, or with `*` where news may have been missed. */
  listen(forget: (patterns: readonly string[]) => void): void {
    const hear = (message: string) => {
      const { from, patterns } = readMessage(message)
      if (from !== this.#self) forget(patterns)
    }
    this.#link.subscribe(channel, hear, () => forget(['*'])).catch(() => {})
  }

  async get(key: CacheKey): Promise<SharedLook> {
    if (this.#owed.size > 0) {
      this.#repay().catch(() => {})
      throw new Error('Redis holds answers that were to be forgotten')
    }
    const reply = await this.#link.run(read, this.#keys(key), [])
    const [value, pttl, generation] = Array.isArray(reply) ? reply : []
    const found = typeof value === 'string' ? readValue(value, Number(pttl)) : undefined
    return { generation: String(generation), ...(found === undefined ? {} : { found }) }
  }

  async set(key: CacheKey, text: string, { ttlMs, staleMs }: Lifetime, generation: string): Promise<void> {
    if (this.#owed.size > 0) throw new Error('Redis holds answers that were to be forgotten')
    const value = `${version} ${ttlMs} ${staleMs} ${text}`
    await this.#link.run(write, this.#keys(key), [generation, value, String(ttlMs + staleMs)])
  }

  /** Forgets, and tells the other processes. What Redis could not be told now, it is told before it is read again. */
  async forget(patterns: readonly string[]): Promise<void> {
    if (this.#owed.size + patterns.length > owedMax) {
      this.#owed.clear()
      this.#owed.add('*')
    } else for (const pattern of patterns) this.#owed.add(pattern)
    // What is under way began without these.
    await this.#repaying?.catch(() => {})
    await this.#repay()
  }

  #repay(): Promise<void> {
    this.#repaying ??= this.#forgetOwed().finally(() => {
      this.#repaying = undefined
    })
    return this.#repaying
  }

  async #forgetOwed(): Promise<void> {
    const patterns = [...this.#owed]
    if (patterns.length === 0) return
    await this.#link.send(['INCR', this.#generationKey])
    const matches = compileGlobs(patterns)
    let cursor = '0'
    do {
      const match = `${escapeGlob(this.#link.prefix)}cache:*`
      const reply = await this.#link.send(['SCAN', cursor, 'MATCH', match, 'COUNT', scanCount])
      const [next, keys] = reply as [string, string[]]
      const start = `${this.#link.prefix}cache:`.length
      const doomed = keys.filter((key) => matches(idOfKey(key.slice(start))))
      if (doomed.length > 0) await this.#link.send(['DEL', ...doomed])
      cursor = String(next)
    } while (cursor !== '0')
    await this.#link.send([
      'PUBLISH',
      this.#link.prefix + channel,
      JSON.stringify({ from: this.#self, patterns }),
    ])
    for (const pattern of patterns) this.#owed.delete(pattern)
  }

  get #generationKey(): string {
    return `${this.#link.prefix}generation`
  }

  #keys(key: CacheKey): readonly string[] {
    return [`${this.#link.prefix}cache:${key}`, this.#generationKey]
  }
}

function readValue(value: string, pttlMs: number): SharedLook['found'] {
  const [head = '', ttl = '', stale = ''] = value.slice(0, 64).split(' ', 3)
  const [ttlMs, staleMs] = [Number(ttl), Number(stale)]
  if (head !== version || !(ttlMs > 0 && staleMs >= 0 && pttlMs > staleMs)) return undefined
  const text = value.slice(head.length + ttl.length + stale.length + 3)
  const answer = unpackAnswer(text)
  if (answer === undefined) return undefined
  const leftMs = Math.min(ttlMs, pttlMs - staleMs)
  const bytes = Buffer.byteLength(text)
  return { answer, bytes, life: { ttlMs: leftMs, staleMs }, ageMs: ttlMs - leftMs }
}

/** Of a message that somebody else may have sent: where it is not understood, everything is forgotten. */
function readMessage(message: string): { readonly from?: unknown; readonly patterns: readonly string[] } {
  try {
    const { from, patterns } = JSON.parse(message.slice(0, messageCharsMax))
    if (Array.isArray(patterns) && patterns.every((pattern) => typeof pattern === 'string')) {
      return { from, patterns }
    }
  } catch {
    // As below.
  }
  return { patterns: ['*'] }
}

/** Redis’s own patterns know more than ours. */
function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^]/g, (character) => `\\${character}`)
}
