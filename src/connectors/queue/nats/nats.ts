import type { BrokerKind } from '../broker.ts'
import { problemOfNatsUrl } from './connect-options.ts'
import { NatsBroker } from './nats-broker.ts'
import { NatsLink, natsTitle } from './nats-link.ts'
import { natsOptions } from './nats-options.ts'
import { problemOfStreamName, problemOfSubject } from './subjects.ts'

const delayMsMax = 30 * 86_400_000

/** NATS with JetStream, 2.9 or newer. */
export const natsKind: BrokerKind = {
  key: 'nats',
  title: natsTitle,
  schemes: ['nats', 'tls'],
  capabilities: {
    priorityMax: 0,
    delayMsMax,
    returnDelayMsMax: delayMsMax,
    deadLetters: true,
    events: true,
    routingKeys: true,
  },
  options: natsOptions,
  problemOf: problemOfNatsUrl,
  isSecure: (url) => /^tls:/i.test(url),
  problemOfName: (name, use) => (use === 'queue' ? problemOfStreamName(name) : problemOfSubject(name)),
  async open(config, context) {
    const transport = await import('@nats-io/transport-node')
    const jetstream = await import('@nats-io/jetstream/internal')
    return new NatsBroker(new NatsLink({ transport, jetstream }, config, context), config, context)
  },
}
