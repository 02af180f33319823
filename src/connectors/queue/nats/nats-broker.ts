import type { Msg, MsgHdrs } from '@nats-io/transport-node'
import type { StopSignal } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
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
import type { LeaseTable } from '../lease-table.ts'
import { Uncounted } from '../uncounted.ts'
import type { NatsLink } from './nats-link.ts'
import type { NatsOptions } from './nats-options.ts'
import { type PullRequest, pull } from './pull.ts'
import { Streams } from './streams.ts'
import { problemOfSubject } from './subjects.ts'

/** When a message may be delivered, in milliseconds since 1970. JetStream itself does not look at it. */
const dueHeader = 'Weir-Due'
/** The server gives a message back this much later than Weir, so that no lease is both held and delivered again. */
const leaseMarginMs = 5000
/** How long one question to the server waits at most; a longer wait asks again. */
const waitMsMax = 30_000
const nanosPerMs = 1_000_000

/** A message as it was taken, and how often it has been delivered by now. */
interface Taken {
  readonly queue: string
  readonly message: Msg
  readonly sequence: number
  readonly attempts: number
}

/** Queues in JetStream: each is a stream with work-queue retention, and one consumer that all of Weir shares. */
export class NatsBroker implements Broker {
  readonly #link: NatsLink
  readonly #config: BrokerConfig
  readonly #context: BrokerContext
  readonly #streams: Streams
  readonly #leases: LeaseTable<Taken>
  readonly #uncounted = new Uncounted()

  constructor(link: NatsLink, config: BrokerConfig, context: BrokerContext) {
    this.#link = link
    this.#config = config
    this.#context = context
    this.#streams = new Streams(link, config.options as NatsOptions, config.leaseMs + leaseMarginMs)
    this.#leases = context.createLeases((taken) => this.#expire(taken))
  }

  async send(queue: string, { id, body, delayMs }: OutgoingMessage, stop: StopSignal): Promise<void> {
    const headers = this.#link.driver.transport.headers()
    if (delayMs > 0) headers.set(dueHeader, String(this.#context.clock.now() + delayMs))
    await this.#put(queue, { id, body, headers }, stop)
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    const { queue, count, bytesMax, untilMs, stop, owner } = request
    const { clock } = this.#context
    const batch = this.#leases.reserve(count)
    await this.#streams.ensureConsumer(queue, stop)
    let taken = await this.#take(request, { batch, bytesMax, waitMs: 0 })
    for (let leftMs = untilMs - clock.monotonicMs(); taken.length === 0 && leftMs > 0; ) {
      taken = await this.#take(request, { batch: 1, waitMs: Math.min(leftMs, waitMsMax) })
      leftMs = untilMs - clock.monotonicMs()
    }
    return taken.map((each) => ({
      body: each.message.data,
      lease: this.#leases.issue(queue, owner, each),
      attempts: each.attempts,
      priority: 0,
      ...idOf(each.message),
    }))
  }

  async ack(held: HeldLease, stop: StopSignal): Promise<void> {
    if (stop.aborted) throw stop.reason
    await this.#link.ask(this.#finish(this.#leases.end(held)), stop)
  }

  async nack(held: HeldLease, { requeue, delayMs }: Return, stop: StopSignal): Promise<ReturnOutcome> {
    if (stop.aborted) throw stop.reason
    const taken = this.#leases.end(held)
    if (!requeue || taken.attempts >= this.#config.attemptsMax) {
      // Goes on although nobody waits for it any more: half of it would be a second copy.
      await this.#link.ask(this.#bury(taken), stop)
      return 'dead-lettered'
    }
    await this.#link.ask(this.#giveBack(taken.message, delayMs), stop)
    return delayMs > 0 ? 'delayed' : 'requeued'
  }

  /** Waits for the stream that keeps the subject, where there is one; else it reaches those who listen right now. */
  async publish(topic: string, { id, body, routingKey }: OutgoingEvent, stop: StopSignal): Promise<string> {
    const subject = routingKey === undefined ? topic : `${topic}.${routingKey}`
    const problem = problemOfSubject(subject)
    if (problem !== undefined) {
      const message = `The subject ${JSON.stringify(subject)} cannot be published to: ${problem}.`
      throw new WeirError('INVALID_INPUT', message, { data: { topic, sent: false } })
    }
    const { driver } = this.#link
    const manager = await this.#streams.manager(stop)
    const kept = await this.#link.ask(manager.streams.names(subject).next(), stop)
    const connection = await this.#link.connection(stop)
    const headers = driver.transport.headers()
    headers.set('Nats-Msg-Id', id)
    if (kept.length > 0) {
      const publishing = driver.jetstream.jetstream(connection).publish(subject, body, { headers, msgID: id })
      await this.#link.ask(publishing, stop)
    } else {
      connection.publish(subject, body, { headers })
      await this.#link.ask(connection.flush(), stop)
    }
    return id
  }

  async check(signal: AbortSignal): Promise<void> {
    const manager = await this.#streams.manager(signal)
    await this.#link.ask(manager.getAccountInfo(), signal)
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  /** Resolves once the stream has it. One that was taken away since it was made is made anew, once. */
  async #put(
    queue: string,
    { id, body, headers }: { id: string; body: string | Uint8Array; headers: MsgHdrs },
    stop?: StopSignal,
  ): Promise<void> {
    for (let isLast = false; ; isLast = true) {
      await this.#streams.ensureStream(queue, stop)
      const connection = await this.#link.connection(stop)
      const client = this.#link.driver.jetstream.jetstream(connection)
      const publishing = client.publish(queue, body, { msgID: id, headers, expect: { streamName: queue } })
      try {
        await this.#link.ask(publishing, stop)
        return
      } catch (thrown) {
        const { cause } = thrown as Error
        const isGone = cause instanceof Error && cause.name === 'JetStreamNotEnabled'
        if (!isGone || isLast) throw thrown
        this.#streams.forget(queue)
      }
    }
  }

  async #take(
    { queue, stop }: ReceiveRequest,
    request: Pick<PullRequest, 'batch' | 'bytesMax' | 'waitMs'>,
  ): Promise<readonly Taken[]> {
    const onLate = (message: Msg) => this.#untake(queue, message)
    const connection = await this.#link.connection(stop)
    const messages = await this.#pull(connection, { queue, stop, onLate, ...request })
    const examined = messages.map((message) => this.#examine(queue, message))
    return examined.filter((taken) => taken !== undefined)
  }

  async #pull(
    connection: Awaited<ReturnType<NatsLink['connection']>>,
    request: PullRequest,
  ): Promise<readonly Msg[]> {
    try {
      return await pull(this.#link, connection, this.#context.clock, request)
    } catch (thrown) {
      if (!request.stop.aborted) this.#streams.forget(request.queue)
      throw thrown
    }
  }

  /** Undefined where the message is not for anybody yet, or no more. */
  #examine(queue: string, message: Msg): Taken | undefined {
    const { sequence, deliveries } = parseReply(message)
    const attempts = deliveries - this.#uncounted.of(queue, sequence)
    const taken = { queue, message, sequence, attempts }
    const waitMs = Number(message.headers?.get(dueHeader) || 0) - this.#context.clock.now()
    if (waitMs > 0) {
      this.#uncounted.add(queue, sequence)
      this.#later(this.#giveBack(message, waitMs))
      return undefined
    }
    if (attempts <= this.#config.attemptsMax) return taken
    this.#later(this.#bury(taken))
    return undefined
  }

  #untake(queue: string, message: Msg): void {
    this.#uncounted.add(queue, parseReply(message).sequence)
    this.#later(this.#giveBack(message, 0))
  }

  #expire(taken: Taken): void {
    const isDead = taken.attempts >= this.#config.attemptsMax
    this.#later(isDead ? this.#bury(taken) : this.#giveBack(taken.message, 0))
  }

  /** Where it fails, the server gives the message back by itself, a little later. */
  #later(work: Promise<void>): void {
    work.catch((thrown: unknown) => {
      this.#context.log.debug({ err: thrown }, 'A message could not be given back; NATS will do so.')
    })
  }

  /** A copy goes to the dead letters, once however often it is tried, and only then the original is done with. */
  async #bury(taken: Taken): Promise<void> {
    const { queue, message, sequence } = taken
    const target = this.#config.deadLetter.replace('{queue}', () => queue)
    const headers = this.#link.driver.transport.headers()
    for (const [name, values] of message.headers ?? []) {
      if (name.startsWith('Nats-') || name === dueHeader) continue
      for (const value of values) headers.append(name, value)
    }
    const id = `${queue} ${sequence} ${message.headers?.get('Nats-Msg-Id') ?? ''}`
    await this.#put(target, { id, body: message.data, headers })
    await this.#finish(taken)
  }

  async #finish({ queue, sequence, message }: Taken): Promise<void> {
    await this.#settle(message, '+ACK')
    this.#uncounted.forget(queue, sequence)
  }

  #giveBack(message: Msg, delayMs: number): Promise<void> {
    const delay = delayMs > 0 ? ` {"delay":${Math.ceil(delayMs) * nanosPerMs}}` : ''
    return this.#settle(message, `-NAK${delay}`)
  }

  /** Resolves once the server has it. */
  async #settle({ reply }: Msg, what: string): Promise<void> {
    const connection = await this.#link.connection()
    await this.#link.ask(connection.request(reply!, what, { timeout: 4000 }))
  }
}

function idOf({ headers }: Msg): { readonly id?: string } {
  const id = headers?.get('Nats-Msg-Id') ?? ''
  return id === '' ? {} : { id }
}

/**
 * Where a message is acknowledged tells of it: `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>…`, with a domain
 * and an account before the stream where the server is newer.
 */
function parseReply({ reply = '' }: Msg): { readonly sequence: number; readonly deliveries: number } {
  const parts = reply.split('.')
  const at = parts.length >= 11 ? 6 : 4
  return { deliveries: Number(parts[at]), sequence: Number(parts[at + 1]) }
}
