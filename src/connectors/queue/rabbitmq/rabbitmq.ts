import type { BrokerKind } from '../broker.ts'
import { problemOfAmqpUrl } from './connect-options.ts'
import { RabbitBroker } from './rabbit-broker.ts'
import { RabbitLink, rabbitTitle } from './rabbit-link.ts'
import { rabbitmqOptions } from './rabbitmq-options.ts'
import { priorityMax } from './topology.ts'

/** RabbitMQ keeps times in 32 bits of milliseconds: a little less than fifty days. */
const delayMsMax = 45 * 86_400_000

/** RabbitMQ, and whatever else speaks AMQP 0-9-1 with its extensions. */
export const rabbitmqKind: BrokerKind = {
  key: 'rabbitmq',
  title: rabbitTitle,
  schemes: ['amqp', 'amqps'],
  capabilities: {
    priorityMax,
    delayMsMax,
    returnDelayMsMax: delayMsMax,
    deadLetters: true,
    events: true,
    routingKeys: true,
  },
  options: rabbitmqOptions,
  problemOf: problemOfAmqpUrl,
  isSecure: (url) => /^amqps:/i.test(url),
  problemOfName(name) {
    if (name.startsWith('amq.')) return 'RabbitMQ keeps names that begin with `amq.` for itself'
    return name.startsWith('weir-delay:') ? 'Weir keeps such names for itself' : undefined
  },
  async open(config, context) {
    const link = new RabbitLink(await import('amqplib'), config, context)
    return new RabbitBroker(link, config, context)
  },
}
