import type { BrokerKind } from './broker.ts'
import { kafkaKind } from './kafka/kafka.ts'
import { natsKind } from './nats/nats.ts'
import { rabbitmqKind } from './rabbitmq/rabbitmq.ts'
import { redisKind } from './redis/redis.ts'
import { sqsKind } from './sqs/sqs.ts'

/** Every kind of broker that Weir speaks to. A new one is one import and one entry here. */
export const brokerKinds: readonly BrokerKind[] = [redisKind, rabbitmqKind, natsKind, kafkaKind, sqsKind]

/** The kind that a URL's scheme names; undefined for a scheme that none has. */
export function findBrokerKind(url: string): BrokerKind | undefined {
  const scheme = schemeOf(url)
  return brokerKinds.find(({ schemes }) => schemes.includes(scheme))
}

/** Why a URL cannot be used; undefined if it can. Echoes the scheme only: the rest may hold a password. */
export function problemOfUrl(url: string): string | undefined {
  const kind = findBrokerKind(url)
  if (kind !== undefined) return kind.problemOf(url)
  const supported = brokerKinds.flatMap(({ schemes }) => schemes.map((scheme) => `${scheme}:`)).join(', ')
  return `Weir has no driver for ${schemeOf(url) || 'a URL without a scheme'}; supported: ${supported}`
}

function schemeOf(url: string): string {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? ''
}
