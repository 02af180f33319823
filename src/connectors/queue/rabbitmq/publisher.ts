import { randomUUID } from 'node:crypto'
import type { ConfirmChannel, Message, Options } from 'amqplib'
import type { StopSignal } from '../../../core/cancellation.ts'
import { createBrokerError } from '../broker-errors.ts'
import type { RabbitLink } from './rabbit-link.ts'

/** How RabbitMQ tells which of the messages under way it gave back. */
const nonceHeader = 'x-weir-publish'

/** A message and where it goes. */
export interface Publication {
  readonly exchange: string
  readonly routingKey: string
  readonly content: Buffer
  readonly options: Options.Publish
}

/** Publishes on one channel, and waits until RabbitMQ has confirmed: written to disk, where the queue is durable. */
export class Publisher {
  readonly #link: RabbitLink
  readonly #returned = new Set<string>()
  #channel: Promise<ConfirmChannel> | undefined

  constructor(link: RabbitLink) {
    this.#link = link
    link.onLost(() => this.#forget())
  }

  /** Resolves with whether some queue has it; `mandatory` messages that none has come back. */
  async publish(publication: Publication, stop?: StopSignal): Promise<boolean> {
    const channel = await this.#ready(stop)
    const nonce = randomUUID()
    await this.#link.ask(this.#send(channel, publication, nonce), stop)
    return !this.#returned.delete(nonce)
  }

  #send(channel: ConfirmChannel, publication: Publication, nonce: string): Promise<void> {
    const { exchange, routingKey, content, options } = publication
    const headers = { ...options.headers, [nonceHeader]: nonce }
    return new Promise((resolve, reject) => {
      const onConfirm = (refusal: unknown) => (refusal ? reject(this.#explainNack(refusal)) : resolve())
      channel.publish(exchange, routingKey, content, { ...options, headers, persistent: true }, onConfirm)
    })
  }

  /** A negative confirm means that a queue could not take it. Where the channel died, the failure says something else. */
  #explainNack(refusal: unknown): unknown {
    const isNack = refusal instanceof Error && refusal.message === 'message nacked'
    if (!isNack) return refusal
    return createBrokerError(this.#link.state.broker, 'could not take the message', { cause: refusal })
  }

  async #ready(stop?: StopSignal): Promise<ConfirmChannel> {
    const model = await this.#link.model(stop)
    this.#channel ??= this.#open(model.createConfirmChannel())
    return this.#link.ask(this.#channel, stop)
  }

  async #open(opening: Promise<ConfirmChannel>): Promise<ConfirmChannel> {
    try {
      const channel = await opening
      channel.on('error', () => {})
      channel.on('close', () => this.#forget())
      channel.on('return', ({ properties }: Message) => {
        this.#returned.add(String(properties.headers?.[nonceHeader]))
      })
      return channel
    } catch (thrown) {
      this.#forget()
      throw thrown
    }
  }

  #forget(): void {
    this.#channel = undefined
    this.#returned.clear()
  }
}
