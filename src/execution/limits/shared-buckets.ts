import { createHash } from 'node:crypto'
import type { Logger } from '../../core/logger.ts'
import type { RedisLink, Script } from '../redis/redis-link.ts'
import type { Limiter } from './limiter.ts'
import { judge, type Quota, type Verdict } from './quota.ts'

/**
 * All buckets of a call in one step (B-127): nobody sees some taken and others not, and value and expiry are written
 * together, so that no key outlives the moment at which its bucket is full. Time is Redis's own (R18), counted from 2023
 * so that a thousandth of a millisecond still counts; where it jumps back, a bucket is empty at worst.
 */
const text = `
local time = redis.call('TIME')
local now = (tonumber(time[1]) - 1700000000) * 1000 + tonumber(time[2]) / 1000
local ahead, spelled, taken = {}, {}, 1
for i, key in ipairs(KEYS) do
  local interval, room = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local full = tonumber(redis.call('GET', key) or '') or now
  ahead[i] = math.min(math.max(full - now, 0), room)
  spelled[i] = string.format('%.17g', ahead[i])
  if ahead[i] + interval - room > interval / 1000 then taken = 0 end
end
if taken == 1 then
  for i, key in ipairs(KEYS) do
    local after = ahead[i] + tonumber(ARGV[2 * i - 1])
    redis.call('SET', key, string.format('%.17g', now + after), 'PX', string.format('%.0f', math.ceil(after)))
  end
end
return spelled
`
const take: Script = { text, sha1: createHash('sha1').update(text).digest('hex') }

/**
 * Buckets that several processes share. While Redis is away each process counts for itself, which gives every one of
 * them the whole limit and never more.
 */
export function createSharedBuckets(link: RedisLink, own: Limiter, log: Logger): Limiter {
  let isAway = false
  const ask = async (quotas: readonly Quota[]): Promise<Verdict> => {
    const keys = quotas.map(({ key }) => `${link.prefix}limit:${key}`)
    const values = quotas.flatMap(({ intervalMs, burst }) => [String(intervalMs), String(intervalMs * burst)])
    const aheadMs = readNumbers(await link.run(take, keys, values), quotas.length)
    return judge(quotas, aheadMs)
  }
  return {
    async take(quotas) {
      try {
        const verdict = await ask(quotas)
        isAway = false
        return verdict
      } catch (thrown) {
        if (!isAway) {
          const fields = { event: 'limits.local', error: String(thrown) }
          log.warn(fields, 'Limits are counted by this process alone until Redis answers again.')
        }
        isAway = true
        return own.take(quotas)
      }
    },
  }
}

function readNumbers(reply: unknown, count: number): readonly number[] {
  const numbers = Array.isArray(reply) ? reply.map(Number) : []
  if (numbers.length === count && numbers.every(Number.isFinite)) return numbers
  throw new Error('Redis answered with something else than the buckets')
}
