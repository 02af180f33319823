import { describeWith } from '../../../../test/services/describe-with.ts'
import { describeBroker } from '../describe-broker.fixture.ts'
import { kafkaKind } from './kafka.ts'
import { openKafkaRelay } from './kafka-relay.fixture.ts'

describeWith('kafka', 'the suite of brokers', (url) => {
  describeBroker({
    kind: kafkaKind,
    url,
    openRelay: () => openKafkaRelay(url),
    // The mock refuses a member that tells of itself after the leader has dealt out the partitions.
    isOneMember: true,
    // Each queue is a group of its own, which takes the mock three seconds to join; all of it is two minutes and a half.
    isBrief: process.env['WEIR_TEST_LONG'] !== '1',
    // The mock lives as long as this run.
    async clean() {},
  })
})
