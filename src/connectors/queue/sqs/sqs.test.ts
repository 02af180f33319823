import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { afterAll } from 'vitest'
import { describeBroker } from '../describe-broker.fixture.ts'
import { openRelay } from '../relay.fixture.ts'
import { sqsKind } from './sqs.ts'

const server: FauxqsServer = await startFauxqs({ port: 0, logger: false })
const url = `sqs+http://127.0.0.1:${new URL(server.address).port}/us-east-1`
afterAll(() => server.stop())

describeBroker({
  kind: sqsKind,
  url,
  unitMs: 1000,
  config: {
    sqs: { credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, allowPrivate: true, declare: true },
  },
  openRelay: () => openRelay(url, 80),
  async clean() {},
})
