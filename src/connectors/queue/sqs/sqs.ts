import type { BrokerKind } from '../broker.ts'
import { parseSqsUrl, problemOfSqsUrl } from './sqs-address.ts'
import { SqsBroker } from './sqs-broker.ts'
import { SqsLink, sqsTitle } from './sqs-link.ts'
import { type SqsOptions, sqsOptions } from './sqs-options.ts'
import { SqsQueues } from './sqs-queues.ts'

const name = /^(?:[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)$/

/** Amazon SQS, and what speaks like it. Standard queues keep their order as well as they can, FIFO queues do. */
export const sqsKind: BrokerKind = {
  key: 'sqs',
  title: sqsTitle,
  schemes: ['sqs', 'sqs+http', 'sqs+https'],
  capabilities: {
    priorityMax: 0,
    delayMsMax: 900_000,
    // Twelve hours from when it was received; what of them is gone by then nobody can know.
    returnDelayMsMax: 39_600_000,
    deadLetters: true,
    events: false,
    routingKeys: false,
  },
  options: sqsOptions,
  problemOf: problemOfSqsUrl,
  // Certificates are the system's own.
  isSecure: () => false,
  problemOfName: (text) =>
    name.test(text)
      ? undefined
      : 'its names are up to 80 letters, digits, `_` and `-`, and those of FIFO queues end in `.fifo`',
  async open(config, context) {
    const options = config.options as SqsOptions
    const driver = await import('@aws-sdk/client-sqs')
    const link = new SqsLink(driver, parseSqsUrl(config.url)!, options, context)
    return new SqsBroker(link, new SqsQueues(link, options.declare), config, context)
  },
}
