import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import { describeBroker } from '../describe-broker.fixture.ts'
import { openRelay } from '../relay.fixture.ts'
import { natsKind } from './nats.ts'

describeWith('nats', 'the suite of brokers', (url) => {
  let connection: NatsConnection
  let manager: JetStreamManager
  beforeAll(async () => {
    connection = await connect({ servers: url })
    manager = await jetstreamManager(connection)
  })
  afterAll(() => connection.close())

  describeBroker({
    kind: natsKind,
    url,
    openRelay: () => openRelay(url, 4222),
    async clean(queues) {
      for (const queue of queues) {
        for (const ending of ['', '-dead', '-dead-dead'])
          await manager.streams.delete(`${queue}${ending}`).catch(() => {})
      }
    },
  })
})
