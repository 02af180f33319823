import { randomUUID } from 'node:crypto'
import type { Channel, Message } from 'amqplib'
import type { StopSignal } from '../../../core/cancellation.ts'
import type { Clock } from '../../../core/clock.ts'
import { createUnavailable } from '../broker-errors.ts'
import type { RabbitLink } from './rabbit-link.ts'
import type { Untaken } from './untaken.ts'

/** What becomes of a message before anybody gets it: undefined where it was put elsewhere. */
export type Examine<T> = (message: Message) => Promise<T | undefined>

/** How long to wait, and who says to stop. */
export interface Patience {
  readonly untilMs: number
  readonly stop: StopSignal
}

/** One queue's channel. Deliveries live on it, and can be settled there alone. */
export class Inbox {
  readonly queue: string
  readonly #link: RabbitLink
  readonly #channel: Channel
  readonly #clock: Clock
  readonly #untaken: Untaken
  readonly #waiting = new Set<(failure: Error) => void>()
  /** How many receivers and leases need this channel. */
  users = 0
  #isDead = false

  constructor(queue: string, link: RabbitLink, channel: Channel, clock: Clock, untaken: Untaken) {
    this.queue = queue
    this.#untaken = untaken
    this.#link = link
    this.#channel = channel
    this.#clock = clock
    channel.on('error', () => {})
    channel.on('close', () => this.#die())
  }

  /** Whether everything that was delivered here is back in the queue. */
  get isDead(): boolean {
    return this.#isDead
  }

  /** The next message, if one is there. */
  async take(stop: StopSignal): Promise<Message | undefined> {
    const taking = this.#channel.get(this.queue)
    try {
      const message = await this.#link.ask(taking, stop)
      return message === false ? undefined : message
    } catch (thrown) {
      taking.then(
        (late) => late && this.untake(late),
        () => {},
      )
      throw thrown
    }
  }

  /** The first message that comes, and that `examine` lets through. RabbitMQ sends one at a time; nothing is polled. */
  wait<T>({ untilMs, stop }: Patience, examine: Examine<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const tag = randomUUID()
      let isOver = false
      const end = (settle: () => void) => {
        if (isOver) return
        isOver = true
        timer.cancel()
        stop.removeEventListener('abort', onStop)
        this.#waiting.delete(fail)
        if (!this.#isDead) this.#channel.cancel(tag).catch(() => {})
        settle()
      }
      const fail = (failure: unknown) => end(() => reject(failure))
      const onStop = () => fail(stop.reason)
      const timer = this.#clock.setTimer(
        () => end(() => resolve(undefined)),
        Math.max(0, untilMs - this.#clock.monotonicMs()),
      )
      const onMessage = async (message: Message) => {
        if (isOver) return this.untake(message)
        const examined = await examine(message)
        if (examined === undefined) return
        if (isOver) this.untake(message)
        else end(() => resolve(examined))
      }
      stop.addEventListener('abort', onStop)
      this.#waiting.add(fail)
      const consume = (message: Message | null) => {
        if (message === null) fail(this.#renderGone())
        else onMessage(message).catch(fail)
      }
      this.#link.ask(this.#channel.consume(this.queue, consume, { consumerTag: tag })).catch(fail)
    })
  }

  /** Resolves once RabbitMQ has done it: an acknowledgement has no answer, so one is asked for behind it. */
  async ack(message: Message, stop?: StopSignal): Promise<void> {
    const acknowledge = async () => {
      this.#channel.ack(message)
      await this.#channel.prefetch(1)
    }
    await this.#link.ask(acknowledge(), stop)
  }

  /** To its old place in the queue, as if it had never been taken: nobody got it. */
  untake(message: Message): void {
    this.#untaken.add(this.queue, message)
    this.giveBack(message)
  }

  /** Whether the message was delivered to somebody before, and lost: not where it was only taken here. */
  wasLost(message: Message): boolean {
    return message.fields.redelivered && !this.#untaken.delete(this.queue, message)
  }

  /** To its old place in the queue. */
  giveBack(message: Message): void {
    if (!this.#isDead) this.#channel.nack(message, false, true)
  }

  close(): void {
    this.#channel.close().catch(() => {})
  }

  #die(): void {
    this.#isDead = true
    const failure = this.#link.state.isClosed
      ? this.#link.state.renderDown(true)
      : createUnavailable(this.#link.state.broker, 'ended the channel', { sent: true })
    for (const fail of [...this.#waiting]) fail(failure)
  }

  #renderGone(): Error {
    return createUnavailable(this.#link.state.broker, 'took the queue away', { sent: true })
  }
}
