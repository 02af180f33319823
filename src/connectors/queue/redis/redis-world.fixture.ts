import { randomBytes } from 'node:crypto'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type OpenQueue, openQueue } from '../open-queue.fixture.ts'

function createOtherProgram(url: string) {
  return createClient({ url })
}

/** Another program on the same Redis, and connections of ours beside it. */
export interface RedisWorld {
  readonly client: ReturnType<typeof createOtherProgram>
  /** A name of its own for a queue or topic; all that begins with it is deleted in the end. */
  name(): string
  open(broker?: object): Promise<OpenQueue>
  /** Redis's own clock, milliseconds since 1970. */
  nowMs(): Promise<number>
}

/** Declares the hooks that make it and clean up after it. */
export function useRedis(url: string): RedisWorld {
  const run = `weir-test-${randomBytes(5).toString('hex')}`
  const client = createOtherProgram(url)
  const opened: OpenQueue[] = []
  let count = 0
  beforeAll(async () => {
    await client.connect()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()))
  })
  afterAll(async () => {
    const keys = await client.keys(`${run}*`)
    if (keys.length > 0) await client.del(keys)
    const due = (await client.zRange('weir:due', 0, -1)).filter((name) => name.startsWith(run))
    if (due.length > 0) await client.zRem('weir:due', due)
    await client.close()
  })
  return {
    client,
    name: () => `${run}-${count++}`,
    async open(broker = {}) {
      const each = await openQueue({ url, ...broker })
      opened.push(each)
      return each
    },
    async nowMs() {
      const [seconds, microseconds] = await client.time()
      return Number(seconds) * 1000 + Number(microseconds) / 1000
    },
  }
}
