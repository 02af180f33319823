import type { BrokerKind } from '../broker.ts'
import { problemOfRedisUrl } from './client-options.ts'
import { RedisBroker } from './redis-broker.ts'
import { RedisLink, redisTitle } from './redis-link.ts'
import { redisOptions } from './redis-options.ts'

const ownEndings = /:(?:p[1-9]|delayed|leased|leases|attempts)$/

/**
 * Redis, one server or a primary with replicas; not Redis Cluster, because the keys of a queue may lie on several nodes
 * there. Queues are the documents' own lists and sorted sets, so other programs can share them (D0-075, D0-076).
 */
export const redisKind: BrokerKind = {
  key: 'redis',
  title: redisTitle,
  schemes: ['redis', 'rediss'],
  capabilities: {
    priorityMax: 9,
    delayMsMax: 365 * 86_400_000,
    returnDelayMsMax: 365 * 86_400_000,
    deadLetters: true,
    events: true,
    routingKeys: true,
  },
  options: redisOptions,
  problemOf: problemOfRedisUrl,
  isSecure: (url) => /^rediss:/i.test(url),
  problemOfName(name) {
    const isOwn = ownEndings.test(name) || name.startsWith('weir:')
    return isOwn ? 'Weir keeps such keys for itself' : undefined
  },
  async open(config, context) {
    const link = new RedisLink(await import('redis'), config, context)
    return new RedisBroker(link, config, context)
  },
}
