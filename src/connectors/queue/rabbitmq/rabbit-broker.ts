import type { Message } from 'amqplib'
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
import { createBrokerError, createLeaseLost } from '../broker-errors.ts'
import type { LeaseTable } from '../lease-table.ts'
import type { Inbox } from './inbox.ts'
import { Inboxes } from './inboxes.ts'
import { Publisher } from './publisher.ts'
import type { RabbitLink } from './rabbit-link.ts'
import type { RabbitmqOptions } from './rabbitmq-options.ts'
import { Topology } from './topology.ts'

/** How often a message was delivered before. RabbitMQ's own flag says only whether it was. */
const attemptsHeader = 'x-weir-attempts'

/** A message as it was taken, and how often it has been delivered by now. */
interface Taken {
  readonly message: Message
  readonly attempts: number
}

interface Handle extends Taken {
  readonly inbox: Inbox
}

/** Queues in RabbitMQ: durable, classic, sorted by priority. Leases are deliveries that were not acknowledged yet. */
export class RabbitBroker implements Broker {
  readonly #link: RabbitLink
  readonly #config: BrokerConfig
  readonly #context: BrokerContext
  readonly #topology: Topology
  readonly #publisher: Publisher
  readonly #inboxes: Inboxes
  readonly #leases: LeaseTable<Handle>

  constructor(link: RabbitLink, config: BrokerConfig, context: BrokerContext) {
    this.#link = link
    this.#config = config
    this.#context = context
    this.#topology = new Topology(link, (config.options as RabbitmqOptions).declare)
    this.#publisher = new Publisher(link)
    this.#inboxes = new Inboxes(link, context.clock)
    this.#leases = context.createLeases((handle) => this.#expire(handle))
    link.onLost(() => this.#leases.clear())
  }

  async send(
    queue: string,
    { id, body, priority, delayMs }: OutgoingMessage,
    stop: StopSignal,
  ): Promise<void> {
    const options = { messageId: id, contentType: 'application/json', priority, timestamp: this.#seconds() }
    await this.#put(queue, Buffer.from(body), options, delayMs, stop)
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    const { queue, count, untilMs, stop } = request
    const wanted = this.#leases.reserve(count)
    await this.#topology.ensureQueue(queue, stop)
    return this.#inboxes.with(queue, stop, async (inbox) => {
      const there = await this.#takeAll(inbox, wanted, request)
      if (there.length > 0 || untilMs <= this.#context.clock.monotonicMs())
        return there.map((taken) => this.#lease(inbox, taken, request))
      const first = await inbox.wait({ untilMs, stop }, (message) => this.#examine(inbox, message))
      return first === undefined ? [] : [this.#lease(inbox, first, request)]
    })
  }

  async ack(held: HeldLease, stop: StopSignal): Promise<void> {
    if (stop.aborted) throw stop.reason
    const { inbox, message } = this.#end(held)
    await inbox.ack(message, stop)
  }

  async nack(held: HeldLease, { requeue, delayMs }: Return, stop: StopSignal): Promise<ReturnOutcome> {
    if (stop.aborted) throw stop.reason
    const handle = this.#end(held)
    const isDead = !requeue || handle.attempts >= this.#config.attemptsMax
    // Goes on although nobody waits for it any more: half of it would be a second copy.
    await this.#link.ask(this.#putBack(handle, isDead ? 'dead' : delayMs), stop)
    if (isDead) return 'dead-lettered'
    return delayMs > 0 ? 'delayed' : 'requeued'
  }

  /** To a durable topic exchange. Where no queue is bound to it for this key, nobody gets the event. */
  async publish(
    topic: string,
    { id, body, routingKey = '' }: OutgoingEvent,
    stop: StopSignal,
  ): Promise<string> {
    await this.#topology.ensureExchange(topic, stop)
    const options = { messageId: id, contentType: 'application/json', timestamp: this.#seconds() }
    try {
      await this.#publisher.publish(
        { exchange: topic, routingKey, content: Buffer.from(body), options },
        stop,
      )
    } catch (thrown) {
      this.#topology.forget('exchange', topic)
      throw thrown
    }
    return id
  }

  async check(signal: AbortSignal): Promise<void> {
    const model = await this.#link.model(signal)
    const channel = await this.#link.ask(model.createChannel(), signal)
    await this.#link.ask(channel.close(), signal)
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  #seconds(): number {
    return Math.floor(this.#context.clock.now() / 1000)
  }

  /** Resolves once a queue has it. One that was taken away since it was declared is declared anew, once. */
  async #put(
    queue: string,
    content: Buffer,
    options: object,
    delayMs: number,
    stop?: StopSignal,
  ): Promise<void> {
    const signal = stop ?? new AbortController().signal
    for (let isLast = false; ; isLast = true) {
      await this.#topology.ensureQueue(queue, signal)
      const routingKey = delayMs > 0 ? await this.#topology.ensureDelay(queue, delayMs, signal) : queue
      const publication = { exchange: '', routingKey, content, options: { ...options, mandatory: true } }
      if (await this.#publisher.publish(publication, stop)) return
      this.#topology.forget('queue', queue)
      if (isLast) throw createBrokerError(this.#link.state.broker, 'returned the message: no queue took it')
    }
  }

  /** What is there, in the queue's order, up to the caps. What does not fit goes back to its place. */
  async #takeAll(inbox: Inbox, wanted: number, { bytesMax, stop }: ReceiveRequest): Promise<Taken[]> {
    const all: Taken[] = []
    let bytes = 0
    try {
      while (all.length < wanted && bytes < bytesMax) {
        const message = await inbox.take(stop)
        if (message === undefined) break
        const taken = await this.#examine(inbox, message)
        if (taken === undefined) continue
        bytes += message.content.length
        if (bytes > bytesMax && all.length > 0) inbox.untake(message)
        else all.push(taken)
      }
      return all
    } catch (thrown) {
      for (const { message } of all.reverse()) inbox.untake(message)
      throw thrown
    }
  }

  /**
   * A message that was delivered before, and neither settled nor given back, was lost with somebody's connection. That
   * attempt is written down first, in a copy, or a message that kills its receivers would come for ever.
   */
  async #examine(inbox: Inbox, message: Message): Promise<Taken | undefined> {
    const isLost = inbox.wasLost(message)
    const attempts = countOf(message) + (isLost ? 1 : 0)
    const isDead = attempts >= this.#config.attemptsMax
    if (!isLost && !isDead) return { message, attempts: attempts + 1 }
    await this.#putBack({ inbox, message, attempts }, isDead ? 'dead' : 0)
    return undefined
  }

  #lease(inbox: Inbox, taken: Taken, { queue, owner }: ReceiveRequest): Delivery {
    const { message, attempts } = taken
    const { messageId, priority } = message.properties
    this.#inboxes.hold(inbox)
    return {
      body: message.content,
      lease: this.#leases.issue(queue, owner, { inbox, ...taken }),
      attempts,
      priority: typeof priority === 'number' ? priority : 0,
      ...(typeof messageId === 'string' ? { id: messageId } : {}),
    }
  }

  /** Ended before it is settled: RabbitMQ ends the channel of whoever settles twice. */
  #end(held: HeldLease): Handle {
    const handle = this.#leases.end(held)
    this.#inboxes.release(handle.inbox)
    if (handle.inbox.isDead) throw createLeaseLost(held.queue)
    return handle
  }

  /** A copy with its attempts goes to its place, and only then the original is done with. */
  async #putBack({ inbox, message, attempts }: Handle, where: 'dead' | number): Promise<void> {
    const isDead = where === 'dead'
    const { queue } = inbox
    const target = isDead ? this.#config.deadLetter.replace('{queue}', () => queue) : queue
    const headers = { ...message.properties.headers, [attemptsHeader]: isDead ? 0 : attempts }
    try {
      await this.#put(target, message.content, { ...message.properties, headers }, isDead ? 0 : where)
    } catch (thrown) {
      inbox.giveBack(message)
      throw thrown
    }
    await inbox.ack(message)
  }

  #expire(handle: Handle): void {
    this.#inboxes.release(handle.inbox)
    if (handle.inbox.isDead) return
    const where = handle.attempts >= this.#config.attemptsMax ? 'dead' : 0
    this.#putBack(handle, where).catch((thrown: unknown) => {
      this.#context.log.warn({ err: thrown }, 'A message whose lease ended could not be put back yet.')
    })
  }
}

/** What another program wrote there counts only if it can be one of ours. */
function countOf({ properties }: Message): number {
  const count: unknown = properties.headers?.[attemptsHeader]
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 0
}
