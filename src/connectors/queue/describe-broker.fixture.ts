import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, describe } from 'vitest'
import type { BrokerKind } from './broker.ts'
import { declareLeases } from './describe-leases.fixture.ts'
import { declareOrder } from './describe-order.fixture.ts'
import { declareEndings, declareOutages } from './describe-outage.fixture.ts'
import { declareReturns } from './describe-returns.fixture.ts'
import { declareSharing, declareWaiting } from './describe-waiting.fixture.ts'
import { type OpenQueue, openQueue } from './open-queue.fixture.ts'
import type { Relay } from './relay.fixture.ts'

const mainChapters = [declareOrder, declareLeases]
const furtherChapters = [declareReturns, declareWaiting, declareSharing, declareOutages, declareEndings]

/** What the suite needs to know of a kind of broker. */
export interface BrokerCase {
  readonly kind: BrokerKind
  /** A real server. */
  readonly url: string
  /** A way to it that can be cut. */
  openRelay(): Promise<Relay>
  /** Whatever this kind's config needs beside the URL. */
  readonly config?: object
  /** What leases and delays of the tests are multiples of: 200 ms, or what the broker can tell apart. */
  readonly unitMs?: number
  /** True where the server of the tests cannot have two members of a group: one connection then receives for all. */
  readonly isOneMember?: boolean
  /** True leaves out the chapters on what is given back, waiting, sharing, outages and endings, for a broker that is slow to join. */
  readonly isBrief?: boolean
  /** Deletes the queues that the tests used, and what belongs to them. */
  clean(queues: readonly string[]): Promise<void>
}

/** What the chapters of the suite share. */
export interface BrokerWorld {
  readonly given: BrokerCase
  readonly unitMs: number
  /** A queue of its own for each test. */
  queueName(): string
  /** Opens a connection, which is closed after the test. */
  open(config?: object): Promise<OpenQueue>
}

/**
 * Declares the suite that every kind of broker must pass on a real server. What a kind cannot do by its capabilities must
 * be refused by name.
 */
export function describeBroker(given: BrokerCase): void {
  describe(`broker ${given.kind.title}`, () => {
    const run = randomBytes(5).toString('hex')
    const queues: string[] = []
    const opened: OpenQueue[] = []
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((each) => each.close()))
    })
    afterAll(() => given.clean(queues))
    const world: BrokerWorld = {
      given,
      unitMs: given.unitMs ?? 200,
      queueName() {
        const name = `weir-test-${run}-${queues.length}`
        queues.push(name)
        return name
      },
      async open(config = {}) {
        const each = await openQueue({ url: given.url, leaseMs: 30_000, ...given.config, ...config })
        opened.push(each)
        return each
      },
    }
    const chapters = given.isBrief === true ? mainChapters : [...mainChapters, ...furtherChapters]
    for (const declare of chapters) declare(world)
  })
}
