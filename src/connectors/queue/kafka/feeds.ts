import type { Consumer } from '@platformatic/kafka'
import type { StopSignal } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import type { BrokerConfig, BrokerContext } from '../broker.ts'
import { createClientOptions } from './client-options.ts'
import { Feed } from './feed.ts'
import type { KafkaLink } from './kafka-link.ts'
import type { KafkaOptions } from './kafka-options.ts'

/** How many queues may be received from at the same time: each takes two connections, and a member of the group. */
const feedsMax = 100
/** How much of a topic is read ahead, in bytes and messages. */
const aheadBytesMax = 4 * 1024 * 1024
const aheadMax = 100
const fetchWaitMs = 1000
/** To join a group takes as long as its other members need to hear of it. */
const joinTimeoutMs = 15_000
const closeTimeoutMs = 2000

interface Opened {
  readonly feed: Feed
  readonly consumer: Consumer
}

/** The topics that are received from. */
export class Feeds {
  readonly #link: KafkaLink
  readonly #config: BrokerConfig
  readonly #context: BrokerContext
  readonly #open = new Map<string, Promise<Opened>>()
  readonly #consumers = new Set<Consumer>()
  readonly #idle = new Map<string, Consumer>()

  constructor(link: KafkaLink, config: BrokerConfig, context: BrokerContext) {
    this.#link = link
    this.#config = config
    this.#context = context
  }

  /** Runs `use` with the queue's feed. It stays open as long as somebody uses it, or leases need it. */
  async with<T>(queue: string, stop: StopSignal, use: (feed: Feed) => Promise<T>): Promise<T> {
    if (this.#link.state.isClosed) throw this.#link.state.renderDown(false)
    const opening = this.#open.get(queue) ?? this.#start(queue)
    const { feed } = await this.#link.ask(opening, stop, false, joinTimeoutMs)
    this.hold(feed)
    try {
      return await use(feed)
    } finally {
      await this.release(feed)
    }
  }

  hold(feed: Feed): void {
    feed.users += 1
    this.#idle.delete(feed.queue)
  }

  async release(feed: Feed): Promise<void> {
    feed.users -= 1
    if (feed.users > 0 || feed.isDead) return
    const opened = await this.#open.get(feed.queue)
    if (opened?.feed === feed && feed.users === 0) this.#idle.set(feed.queue, opened.consumer)
  }

  /** Leaves the group everywhere, so that its other members get the messages at once. */
  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => this.#end(consumer)))
  }

  #start(queue: string): Promise<Opened> {
    if (this.#open.size >= feedsMax) this.#closeIdle()
    const opening = this.#create(queue)
    this.#open.set(queue, opening)
    opening.catch(() => this.#open.delete(queue))
    return opening
  }

  async #create(queue: string): Promise<Opened> {
    const { declare, group, sessionMs } = this.#config.options as KafkaOptions
    const consumer = new this.#link.driver.Consumer({
      ...createClientOptions(this.#config),
      // One for each queue, so that who comes and goes at one disturbs no other.
      groupId: `${group}.${queue}`,
      autocommit: false,
      maxWaitTime: fetchWaitMs,
      maxBytes: aheadBytesMax,
      highWaterMark: aheadMax,
      sessionTimeout: sessionMs,
      rebalanceTimeout: sessionMs,
      heartbeatInterval: Math.min(3000, Math.floor(sessionMs / 3)),
    })
    this.#consumers.add(consumer)
    try {
      await consumer.metadata({ topics: [queue], autocreateTopics: declare })
      const stream = await consumer.consume({
        topics: [queue],
        mode: 'committed',
        fallbackMode: 'earliest',
        autocommit: false,
      })
      const feed = new Feed(queue, this.#link, this.#context.clock, consumer, stream, () => {
        this.#open.delete(queue)
        this.#idle.delete(queue)
        void this.#end(consumer)
      })
      return { feed, consumer }
    } catch (thrown) {
      void this.#end(consumer)
      throw thrown
    }
  }

  async #end(consumer: Consumer): Promise<void> {
    this.#consumers.delete(consumer)
    let late: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      late = setTimeout(resolve, closeTimeoutMs)
    })
    await Promise.race([consumer.close(true).catch(() => {}), patience])
    clearTimeout(late)
  }

  #closeIdle(): void {
    const [idle] = this.#idle
    if (idle === undefined) {
      throw new WeirError('OVERLOADED', `${feedsMax} queues are received from already.`, {
        hint: 'Acknowledge what was received, or wait until the leases end.',
        data: { feedsMax, sent: false },
      })
    }
    const [queue, consumer] = idle
    this.#idle.delete(queue)
    this.#open.delete(queue)
    void this.#end(consumer)
  }
}
