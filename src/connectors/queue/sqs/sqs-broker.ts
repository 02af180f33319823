import type { Message } from '@aws-sdk/client-sqs'
import type { StopSignal } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { abandonOn } from '../../shared/abandon-on.ts'
import type {
  Broker,
  BrokerConfig,
  BrokerContext,
  Delivery,
  HeldLease,
  OutgoingMessage,
  ReceiveRequest,
  Return,
  ReturnOutcome,
} from '../broker.ts'
import { createLeaseLost, describeBrokerName } from '../broker-errors.ts'
import type { LeaseTable } from '../lease-table.ts'
import { Uncounted } from '../uncounted.ts'
import { type PollRequest, pollSqs } from './poll-sqs.ts'
import { refusalOf, type SqsLink } from './sqs-link.ts'
import { isFifo, type SqsQueues } from './sqs-queues.ts'

/** SQS gives a message back this much later than Weir, so that no lease is both held and delivered again. */
const leaseMarginMs = 5_000
const visibilitySecondsMax = 43_200

/** A message as it was taken, and how often it has been delivered by now. */
interface Taken {
  readonly queue: string
  readonly message: Message
  readonly attempts: number
}

/** Queues of SQS. Leases are its visibility timeout, settled by receipt handles that never leave Weir. */
export class SqsBroker implements Broker {
  readonly #link: SqsLink
  readonly #queues: SqsQueues
  readonly #config: BrokerConfig
  readonly #context: BrokerContext
  readonly #leases: LeaseTable<Taken>
  readonly #uncounted = new Uncounted()
  readonly #visibilitySeconds: number

  constructor(link: SqsLink, queues: SqsQueues, config: BrokerConfig, context: BrokerContext) {
    this.#link = link
    this.#queues = queues
    this.#config = config
    this.#context = context
    this.#leases = context.createLeases((taken) => this.#expire(taken))
    const leaseSeconds = Math.ceil((config.leaseMs + leaseMarginMs) / 1000)
    this.#visibilitySeconds = Math.min(visibilitySecondsMax, leaseSeconds)
  }

  async send(queue: string, { id, body, delayMs }: OutgoingMessage, stop: StopSignal): Promise<void> {
    if (delayMs > 0 && isFifo(queue)) throw this.#refuse('delay of single messages in FIFO queues')
    const delay = delayMs > 0 ? { DelaySeconds: Math.ceil(delayMs / 1000) } : {}
    await this.#put(queue, { MessageBody: escapeJson(body), ...delay }, id, stop)
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    const { queue, owner, count } = request
    const wanted = this.#leases.reserve(count)
    const poll = (ask: PollRequest) => this.#poll(request, ask)
    const giveBack = (all: readonly Message[]) => this.#untake(queue, all)
    const messages = await pollSqs(poll, giveBack, { ...request, count: wanted, clock: this.#context.clock })
    return messages
      .map((message) => this.#examine(queue, message))
      .filter((taken) => taken !== undefined)
      .map((taken) => ({
        body: Buffer.from(taken.message.Body ?? ''),
        lease: this.#leases.issue(queue, owner, taken),
        attempts: taken.attempts,
        priority: 0,
        ...(taken.message.MessageId === undefined ? {} : { id: taken.message.MessageId }),
      }))
  }

  async ack(held: HeldLease, stop: StopSignal): Promise<void> {
    await this.#settle(held, (taken) => this.#delete(taken, stop))
  }

  async nack(held: HeldLease, { requeue, delayMs }: Return, stop: StopSignal): Promise<ReturnOutcome> {
    if (stop.aborted) throw stop.reason
    return await this.#settle(held, async (taken) => {
      if (!requeue || taken.attempts >= this.#config.attemptsMax) {
        // Goes on although nobody waits for it any more: half of it would be a second copy.
        await this.#bury(taken, stop)
        return 'dead-lettered'
      }
      await this.#giveBack(taken.queue, taken.message, delayMs, stop)
      return delayMs > 0 ? 'delayed' : 'requeued'
    })
  }

  publish(): Promise<string> {
    return Promise.reject(this.#refuse('events'))
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#link.check(signal)
  }

  async close(): Promise<void> {
    this.#leases.clear()
    await this.#link.close()
  }

  /** A lease ends once it is settled, so that what failed on the way can be tried again. */
  async #settle<T>(held: HeldLease, settle: (taken: Taken) => Promise<T>): Promise<T> {
    const taken = this.#leases.find(held)
    try {
      const outcome = await settle(taken)
      this.#leases.forget(held.lease)
      this.#uncounted.forget(taken.queue, idOf(taken.message))
      return outcome
    } catch (thrown) {
      if (!/ReceiptHandle|MessageNotInflight/.test(refusalOf(thrown) ?? '')) throw thrown
      this.#leases.forget(held.lease)
      throw createLeaseLost(held.queue)
    }
  }

  async #poll({ queue, stop }: ReceiveRequest, ask: PollRequest): Promise<readonly Message[]> {
    const polling = this.#queues.ask(
      queue,
      async (client, QueueUrl) => {
        const answer = await client.receiveMessage({
          QueueUrl,
          MaxNumberOfMessages: ask.count,
          WaitTimeSeconds: ask.waitSeconds,
          VisibilityTimeout: this.#visibilitySeconds,
          MessageSystemAttributeNames: ['ApproximateReceiveCount', 'MessageGroupId'],
          MessageAttributeNames: ['All'],
        })
        const messages = answer.Messages ?? []
        // Nobody waits for them any more.
        if (stop.aborted) this.#untake(queue, messages)
        return messages
      },
      stop,
    )
    return await polling
  }

  /** Undefined where the message has had its attempts: Weir died over the last one. */
  #examine(queue: string, message: Message): Taken | undefined {
    const deliveries = Number(message.Attributes?.ApproximateReceiveCount ?? 1)
    const attempts = Math.max(1, deliveries - this.#uncounted.of(queue, idOf(message)))
    const taken = { queue, message, attempts }
    if (attempts <= this.#config.attemptsMax) return taken
    this.#later(this.#bury(taken))
    return undefined
  }

  #untake(queue: string, messages: readonly Message[]): void {
    for (const message of messages) {
      this.#uncounted.add(queue, idOf(message))
      this.#later(this.#giveBack(queue, message, 0))
    }
  }

  #expire(taken: Taken): void {
    const isDead = taken.attempts >= this.#config.attemptsMax
    this.#later(isDead ? this.#bury(taken) : this.#giveBack(taken.queue, taken.message, 0))
  }

  /** Where it fails, SQS gives the message back by itself, a little later. */
  #later(work: Promise<void>): void {
    work.catch((thrown: unknown) => {
      this.#context.log.debug({ err: thrown }, 'A message could not be given back; SQS will do so.')
    })
  }

  /** A copy goes to the dead letters, and only then the original is done with. */
  async #bury(taken: Taken, stop?: StopSignal): Promise<void> {
    const { queue, message } = taken
    const { Body: MessageBody = '', MessageAttributes } = message
    const copy = { MessageBody, ...(MessageAttributes === undefined ? {} : { MessageAttributes }) }
    const buried = this.#put(this.#deadLetterOf(queue), copy, idOf(message)).then(() => this.#delete(taken))
    await (stop === undefined ? buried : abandonOn(stop, buried))
  }

  /** SQS takes no colon in a name, and has a FIFO queue's end in `.fifo`. */
  #deadLetterOf(queue: string): string {
    const bare = queue.replace(/\.fifo$/, '')
    const name = this.#config.deadLetter.replace('{queue}', () => bare).replaceAll(':', '-')
    return isFifo(queue) ? `${name}.fifo` : name
  }

  async #put(
    queue: string,
    message: Pick<Message, 'MessageAttributes'> & { readonly MessageBody: string },
    id: string,
    stop?: StopSignal,
  ): Promise<void> {
    // One group, so that the order is that of the whole queue.
    const fifo = isFifo(queue) ? { MessageGroupId: 'weir', MessageDeduplicationId: id } : {}
    await this.#queues.ask(
      queue,
      (client, QueueUrl) => client.sendMessage({ QueueUrl, ...message, ...fifo }),
      stop,
    )
  }

  async #delete({ queue, message: { ReceiptHandle } }: Taken, stop?: StopSignal): Promise<void> {
    await this.#queues.ask(
      queue,
      (client, QueueUrl) => client.deleteMessage({ QueueUrl, ReceiptHandle }),
      stop,
    )
  }

  async #giveBack(
    queue: string,
    { ReceiptHandle }: Message,
    delayMs: number,
    stop?: StopSignal,
  ): Promise<void> {
    const VisibilityTimeout = Math.ceil(delayMs / 1000)
    await this.#queues.ask(
      queue,
      (client, QueueUrl) => client.changeMessageVisibility({ QueueUrl, ReceiptHandle, VisibilityTimeout }),
      stop,
    )
  }

  #refuse(feature: string): WeirError {
    return new WeirError('QUEUE_UNSUPPORTED', `${describeBrokerName(this.#link.name)} has no ${feature}.`, {
      hint: 'Leave it out, or use a broker of another kind.',
      data: { connection: this.#link.name.name, feature, sent: false },
    })
  }
}

function idOf({ MessageId = '' }: Message): string {
  return MessageId
}

/** The same JSON without what SQS takes in no message: halves of pairs, and two code points that are no characters. */
function escapeJson(json: string): string {
  return json.replace(/[\ud800-\udfff\ufffe\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`)
}
