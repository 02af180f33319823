import { startGateway } from './gateway.fixture.ts'

/** A gateway in a process of its own. Answers each message with the memory that is alive in it, garbage collected. */
const gateway = await startGateway()
process.on('message', () => {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  process.send?.({ liveBytes: heapUsed + external })
})
process.send?.({ port: Number(gateway.url.port) })
