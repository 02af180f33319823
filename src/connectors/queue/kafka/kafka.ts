import type { BrokerKind } from '../broker.ts'
import { problemOfKafkaUrl } from './client-options.ts'
import { Feeds } from './feeds.ts'
import { KafkaBroker } from './kafka-broker.ts'
import { KafkaLink, kafkaTitle } from './kafka-link.ts'
import { kafkaOptions } from './kafka-options.ts'

/** Kafka, and whatever else speaks its protocol. */
export const kafkaKind: BrokerKind = {
  key: 'kafka',
  title: kafkaTitle,
  schemes: ['kafka', 'kafkas'],
  capabilities: {
    priorityMax: 0,
    delayMsMax: 0,
    returnDelayMsMax: 0,
    deadLetters: true,
    events: true,
    routingKeys: true,
  },
  options: kafkaOptions,
  problemOf: problemOfKafkaUrl,
  isSecure: (url) => /^kafkas:/i.test(url),
  problemOfName(name) {
    const isName = /^[A-Za-z0-9._-]{1,200}$/.test(name) && name !== '.' && name !== '..'
    return isName ? undefined : 'the name of a topic holds letters, digits, `.`, `_` and `-` alone'
  },
  async open(given, context) {
    // The name of dead letters that all kinds have by default is none that Kafka takes.
    const config = { ...given, deadLetter: given.deadLetter.replaceAll(':', '.') }
    const link = new KafkaLink(await import('@platformatic/kafka'), config, context)
    return new KafkaBroker(link, new Feeds(link, config, context), config, context)
  },
}
