import { z } from 'zod'
import type { CacheRule, RateRule } from '../core/policy.ts'
import { durationSchema } from './duration.ts'

/** Which tools a policy is for. */
export const policyPattern = z
  .string()
  .max(256)
  .regex(
    /^(?:\*|[a-z0-9*-]+:\S+)$/,
    'a policy is for a tool id or a pattern: "database:execute_query", "database:*", "*:send", "*"',
  )

const limitSchema = z
  .templateLiteral([z.int().min(1).max(1_000_000_000), '/', z.enum(['second', 'minute', 'hour', 'day'])])
  .describe('`10/hour`: a number, and one of second, minute, hour, day.')

const burstSchema = z
  .int()
  .min(1)
  .max(1_000_000_000)
  .optional()
  .describe('How many may come at once. Default: as many as the limit allows in its unit of time.')

const doorFields = {
  limit: limitSchema,
  burst: burstSchema,
  per: z
    .enum(['caller', 'all'])
    .default('caller')
    .describe('Who shares the limit: `caller`, each caller has it; `all`: all callers together.'),
}

const rateRuleSchema = z
  .union([
    limitSchema,
    z.strictObject({
      limit: limitSchema,
      burst: burstSchema,
      per: z
        .enum(['caller', 'tool', 'connection', 'all'])
        .default('caller')
        .describe(
          'Who shares the limit: `caller`, each caller has it for each tool; `tool`, `connection`, `all`: all callers together.',
        ),
      wait: z
        .boolean()
        .default(false)
        .describe(
          '`true`: calls beyond the limit wait for their turn, until their time is up, instead of being refused. For systems behind Weir that have limits of their own.',
        ),
    }),
  ])
  .transform((rule): RateRule => {
    if (typeof rule === 'string') return { limit: rule, per: 'caller' }
    const { limit, burst, per, wait } = rule
    return { limit, per, ...(burst === undefined ? {} : { burst }), ...(wait ? { waits: true } : {}) }
  })

const rateSchema = z
  .union([rateRuleSchema, z.array(rateRuleSchema).min(1).max(8)])
  .transform((rules) => (Array.isArray(rules) ? rules : [rules]))

/** The limits on everything that comes in, whatever it asks for. */
export const doorSchema = z
  .union([z.strictObject(doorFields), z.array(z.strictObject(doorFields)).max(4)])
  .transform((rules): readonly RateRule[] =>
    [rules]
      .flat()
      .map(({ limit, burst, per }) => ({ limit, per, ...(burst === undefined ? {} : { burst }) })),
  )

const cacheSchema = z
  .union([
    durationSchema,
    z.strictObject({
      ttl: durationSchema.describe('How long an answer is kept.'),
      negativeTtl: durationSchema
        .optional()
        .describe('How long “not found” is remembered. Default: not at all.'),
      scope: z
        .enum(['caller', 'public'])
        .default('caller')
        .describe('`caller`: everybody has their own answers. `public`: all callers of a tenant share them.'),
    }),
  ])
  .transform(
    (rule): CacheRule =>
      typeof rule === 'number'
        ? { ttlMs: rule }
        : {
            ttlMs: rule.ttl,
            ...(rule.negativeTtl === undefined ? {} : { negativeTtlMs: rule.negativeTtl }),
            ...(rule.scope === 'public' ? { isPublic: true } : {}),
          },
  )

const retrySchema = z
  .strictObject({
    attempts: z.int().min(2).max(10).default(3).describe('How often it is tried, the first time included.'),
    delay: durationSchema.default(1_000).describe('The wait before the second attempt; doubled each time.'),
    maxDelay: durationSchema.default(60_000).describe('The longest wait.'),
  })
  .transform(({ attempts, delay, maxDelay }) => ({
    attemptsMax: attempts,
    delayMs: delay,
    delayMsMax: maxDelay,
  }))

const breakerSchema = z
  .strictObject({
    failures: z.int().min(1).max(1_000).default(5).describe('Failures in a row that open it.'),
    recovery: durationSchema.default(60_000).describe('How long it stays open before one call may try.'),
    successes: z.int().min(1).max(100).default(2).describe('Successes in a row that close it again.'),
  })
  .transform(({ failures, recovery, successes }) => ({ failures, recoveryMs: recovery, successes }))

const bulkheadSchema = z
  .strictObject({
    running: z.int().min(1).max(10_000).default(64).describe('Calls of the connection at once.'),
    waiting: z.int().min(0).max(100_000).default(256).describe('Calls that wait for their turn.'),
  })
  .transform(({ running, waiting }) => ({ runningMax: running, waitingMax: waiting }))

const fallbackSchema = z
  .strictObject({
    stale: durationSchema
      .optional()
      .describe('A cached answer may be used for so long after its time. Needs `cache`.'),
    value: z.unknown().optional().describe('What is answered when nothing else can be.'),
  })
  .transform(({ stale, value }) => ({
    ...(stale === undefined ? {} : { staleMs: stale }),
    ...(value === undefined ? {} : { value }),
  }))

const off = z.literal(false)

/** The rules of one pattern, as the file has them; gives a PolicyRule. */
export const policySchema = z
  .strictObject({
    timeout: durationSchema
      .optional()
      .describe(
        'Longest time one call may take, from its arrival to its answer: `500ms`, `30s`, `2m`, or a number of milliseconds. Default: 30s.',
      ),
    deny: z.boolean().optional().describe('`true`: nobody may call it. No other policy takes this back.'),
    confirm: z
      .union([z.boolean(), z.literal('client')])
      .optional()
      .describe(
        '`true`: somebody who operates Weir has to approve each call. `client`: the caller’s own user is asked, which a client could forge. No other policy takes this back.',
      ),
    rateLimit: z
      .union([off, rateSchema])
      .optional()
      .describe(
        'How often it may be called: `10/hour`, or a list of limits that all hold. Default: what the tool itself declares.',
      ),
    cache: z
      .union([off, cacheSchema])
      .optional()
      .describe('How long answers of a reading tool are kept, as in `5m`. Default: not at all.'),
    invalidates: z
      .union([off, z.array(policyPattern).min(1).max(32)])
      .optional()
      .describe(
        'Tools whose cached answers are forgotten after each call of this one, well or badly ended: ids and patterns.',
      ),
    retry: z
      .union([off, retrySchema])
      .optional()
      .describe(
        'How failures that may pass are retried; `false`: never. Default: 3 attempts, and only where a second run does no harm.',
      ),
    breaker: z
      .union([off, breakerSchema])
      .optional()
      .describe(
        'When a failing tool is left alone for a while; `false`: never. Default: 5 failures, 60 s, 2 successes.',
      ),
    bulkhead: z
      .union([off, bulkheadSchema])
      .optional()
      .describe('How many calls of the connection run and wait; `false`: any number. Default: 64 and 256.'),
    fallback: fallbackSchema
      .optional()
      .describe('What is answered, marked as degraded, where the tool cannot. Default: the error.'),
  })
  .transform(({ timeout, deny, confirm, rateLimit, ...rules }) => ({
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(deny === true ? { isDenied: true } : {}),
    ...(confirm === true ? { confirm: 'operator' as const } : confirm === 'client' ? { confirm } : {}),
    ...(rateLimit === undefined ? {} : { rateLimits: rateLimit }),
    ...omitUndefined(rules),
  }))

function omitUndefined<T extends object>(rules: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(rules).filter(([, rule]) => rule !== undefined)) as never
}
