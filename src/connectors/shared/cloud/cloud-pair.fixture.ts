import type { ServerResponse } from 'node:http'
import { type SeenRequest, startCanary } from '../../../egress/canary.fixture.ts'

/** A real HTTP server on loopback that answers as the test says and remembers what reached it. */
export interface FakeCloud {
  readonly origin: string
  readonly seen: readonly SeenRequest[]
  answer: (request: SeenRequest, response: ServerResponse) => void
  close(): Promise<void>
}

/** One that a connection is pointed at, and one that nothing may ever reach. */
export async function startCloudPair() {
  const [fake, canary] = [await startFakeCloud(), await startFakeCloud()]
  return {
    fake,
    canary,
    async close() {
      await fake.close()
      await canary.close()
    },
  }
}

/** Answers `{}` unless the test says otherwise. */
export async function startFakeCloud(): Promise<FakeCloud> {
  const canary = await startCanary((_, response) => fake.answer(canary.requests.at(-1)!, response))
  const fake: FakeCloud = {
    origin: canary.origin,
    seen: canary.requests,
    answer: (_, response) => void response.end('{}'),
    close: async () => await canary[Symbol.asyncDispose](),
  }
  return fake
}
