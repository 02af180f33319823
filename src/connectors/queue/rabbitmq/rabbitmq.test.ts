import { type ChannelModel, connect } from 'amqplib'
import { afterAll, beforeAll } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import { describeBroker } from '../describe-broker.fixture.ts'
import { openRelay } from '../relay.fixture.ts'
import { rabbitmqKind } from './rabbitmq.ts'

describeWith('rabbitmq', 'the suite of brokers', (url) => {
  let model: ChannelModel
  beforeAll(async () => {
    model = await connect(url)
  })
  afterAll(() => model.close())

  describeBroker({
    kind: rabbitmqKind,
    url,
    openRelay: () => openRelay(url, 5672),
    async clean(queues) {
      const channel = await model.createChannel()
      // Delayed messages' own queues go by themselves, a minute after the last one was due.
      for (const queue of queues) {
        // Dead letters that were received and forgotten have dead letters of their own.
        for (const ending of ['', '-dead', '-dead-dead']) await channel.deleteQueue(`${queue}${ending}`)
      }
      await channel.close()
    },
  })
})
