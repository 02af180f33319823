import { createClient } from 'redis'
import { afterAll, beforeAll } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import { describeBroker } from '../describe-broker.fixture.ts'
import { openRelay } from '../relay.fixture.ts'
import { redisKind } from './redis.ts'

describeWith('redis', 'the suite of brokers', (url) => {
  const client = createClient({ url })
  beforeAll(() => client.connect())
  afterAll(() => client.close())

  describeBroker({
    kind: redisKind,
    url,
    openRelay: () => openRelay(url, 6379),
    async clean(queues) {
      for (const queue of queues) {
        const keys = await client.keys(`${queue}*`)
        if (keys.length > 0) await client.del(keys)
        await client.zRem('weir:due', [queue, `${queue}-dead`])
      }
    },
  })
})
