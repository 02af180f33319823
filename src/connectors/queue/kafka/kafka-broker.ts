import type { StopSignal } from '../../../core/cancellation.ts'
import type {
  Broker,
  BrokerConfig,
  BrokerContext,
  Delivery,
  HeldLease,
  OutgoingEvent,
  OutgoingMessage,
  ReceiveRequest,
  Return,
  ReturnOutcome,
} from '../broker.ts'
import { createLeaseLost } from '../broker-errors.ts'
import type { LeaseTable } from '../lease-table.ts'
import type { Entry, Feed } from './feed.ts'
import type { Feeds } from './feeds.ts'
import type { KafkaLink } from './kafka-link.ts'
import type { KafkaOptions } from './kafka-options.ts'

/** How often a message was delivered before: Kafka does not count. */
const attemptsHeader = 'x-weir-attempts'
const idHeader = 'x-weir-id'

interface Handle {
  readonly feed: Feed
  readonly entry: Entry
  readonly attempts: number
}

/** Queues in Kafka: topics that a group reads. Leases live in this process; what is given back is written anew. */
export class KafkaBroker implements Broker {
  readonly #link: KafkaLink
  readonly #feeds: Feeds
  readonly #config: BrokerConfig
  readonly #context: BrokerContext
  readonly #leases: LeaseTable<Handle>

  constructor(link: KafkaLink, feeds: Feeds, config: BrokerConfig, context: BrokerContext) {
    this.#link = link
    this.#feeds = feeds
    this.#config = config
    this.#context = context
    this.#leases = context.createLeases((handle) => this.#expire(handle))
  }

  async send(queue: string, { id, body }: OutgoingMessage, stop: StopSignal): Promise<void> {
    await this.#put(queue, Buffer.from(body), { [idHeader]: id }, stop)
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    const { queue, count, untilMs, stop, owner } = request
    const wanted = this.#leases.reserve(count)
    return this.#feeds.with(queue, stop, async (feed) => {
      for (;;) {
        const taken = await this.#takeAll(feed, wanted, request)
        const isLate = untilMs <= this.#context.clock.monotonicMs()
        if (taken.length > 0 || isLate) return taken.map((handle) => this.#lease(handle, queue, owner))
        await feed.wait(untilMs, stop)
      }
    })
  }

  async ack(held: HeldLease, stop: StopSignal): Promise<void> {
    if (stop.aborted) throw stop.reason
    const { feed, entry } = this.#end(held)
    await this.#link.ask(feed.finish(entry), stop)
  }

  async nack(held: HeldLease, { requeue }: Return, stop: StopSignal): Promise<ReturnOutcome> {
    if (stop.aborted) throw stop.reason
    const handle = this.#end(held)
    const isDead = !requeue || handle.attempts >= this.#config.attemptsMax
    // Goes on although nobody waits for it any more: half of it would be a second copy.
    await this.#link.ask(this.#putBack(handle, isDead), stop)
    return isDead ? 'dead-lettered' : 'requeued'
  }

  /** Events of one routing key keep their order: it is the record's key. */
  async publish(topic: string, { id, body, routingKey }: OutgoingEvent, stop: StopSignal): Promise<string> {
    const key = routingKey === undefined ? {} : { key: Buffer.from(routingKey) }
    await this.#link.produce({ topic, value: Buffer.from(body), headers: { [idHeader]: id }, ...key }, stop)
    return id
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#link.check(signal)
  }

  async close(): Promise<void> {
    await Promise.all([this.#link.close(), this.#feeds.close()])
  }

  async #put(
    topic: string,
    value: Buffer,
    headers: Readonly<Record<string, string>>,
    stop?: StopSignal,
  ): Promise<void> {
    const { isOrdered } = this.#config.options as KafkaOptions
    await this.#link.produce(
      { topic, value, headers, ...(isOrdered ? { key: Buffer.from(topic) } : {}) },
      stop,
    )
  }

  async #takeAll(feed: Feed, wanted: number, { bytesMax, stop }: ReceiveRequest): Promise<Handle[]> {
    const all: Handle[] = []
    let bytes = 0
    while (all.length < wanted) {
      const entry = feed.take()
      if (entry === undefined) break
      const attempts = Number(headerOf(entry, attemptsHeader) ?? 0) + 1
      const handle = { feed, entry, attempts }
      bytes += entry.message.value?.length ?? 0
      if (bytes > bytesMax && all.length > 0) {
        feed.untake(entry)
        break
      }
      all.push(handle)
    }
    if (!stop.aborted) return all
    for (const { entry } of all.reverse()) feed.untake(entry)
    throw stop.reason
  }

  #lease(handle: Handle, queue: string, owner: string): Delivery {
    const { feed, entry, attempts } = handle
    const id = headerOf(entry, idHeader)
    this.#feeds.hold(feed)
    return {
      body: entry.message.value ?? Buffer.alloc(0),
      lease: this.#leases.issue(queue, owner, handle),
      attempts,
      priority: 0,
      ...(id === undefined ? {} : { id }),
    }
  }

  #end(held: HeldLease): Handle {
    const handle = this.#leases.end(held)
    void this.#feeds.release(handle.feed)
    if (!handle.feed.holds(handle.entry)) throw createLeaseLost(held.queue)
    return handle
  }

  /** A copy with its attempts goes behind the others, or to the dead letters; only then the original is done with. */
  async #putBack({ feed, entry, attempts }: Handle, isDead: boolean): Promise<void> {
    const target = isDead ? this.#config.deadLetter.replace('{queue}', () => feed.queue) : feed.queue
    const id = headerOf(entry, idHeader)
    const headers = {
      [attemptsHeader]: String(isDead ? 0 : attempts),
      ...(id === undefined ? {} : { [idHeader]: id }),
    }
    try {
      await this.#put(target, entry.message.value ?? Buffer.alloc(0), headers)
    } catch (thrown) {
      feed.untake(entry)
      throw thrown
    }
    await feed.finish(entry)
  }

  #expire(handle: Handle): void {
    void this.#feeds.release(handle.feed)
    if (!handle.feed.holds(handle.entry)) return
    this.#putBack(handle, handle.attempts >= this.#config.attemptsMax).catch((thrown: unknown) => {
      this.#context.log.warn({ err: thrown }, 'A message whose lease ended could not be put back yet.')
    })
  }
}

function headerOf({ message }: Entry, wanted: string): string | undefined {
  for (const [name, text] of message.headers) if (String(name) === wanted) return String(text)
  return undefined
}
