import type { Channel } from 'amqplib'
import type { StopSignal } from '../../../core/cancellation.ts'
import type { RabbitLink } from './rabbit-link.ts'

/** The highest priority that Weir's queues sort by. */
export const priorityMax = 9

/** How many names are remembered as declared; then all are forgotten, and declared anew. */
const knownMax = 10_000
/** How long a queue of delayed messages stays after the last of them was due. RabbitMQ itself takes it away. */
const delayQueueRestMs = 60_000

/** Declares queues and exchanges, each on a channel of its own: a refusal ends the channel, and nobody else's may. */
export class Topology {
  readonly #link: RabbitLink
  readonly #mayDeclare: boolean
  readonly #known = new Map<string, Promise<void>>()

  constructor(link: RabbitLink, mayDeclare: boolean) {
    this.#link = link
    this.#mayDeclare = mayDeclare
  }

  /** Durable, and sorted by priority. Rejects where it is there with other properties. */
  ensureQueue(queue: string, stop: StopSignal): Promise<void> {
    return this.#ensure(`queue ${queue}`, stop, (channel) =>
      this.#mayDeclare
        ? channel.assertQueue(queue, { durable: true, maxPriority: priorityMax })
        : channel.checkQueue(queue),
    )
  }

  ensureExchange(exchange: string, stop: StopSignal): Promise<void> {
    return this.#ensure(`exchange ${exchange}`, stop, (channel) =>
      this.#mayDeclare
        ? channel.assertExchange(exchange, 'topic', { durable: true })
        : channel.checkExchange(exchange),
    )
  }

  /**
   * The queue where messages for `queue` wait this long: all of them equally long, so none holds up another. Declared
   * for every message, because that is what keeps RabbitMQ from taking it away too early.
   */
  async ensureDelay(queue: string, delayMs: number, stop: StopSignal): Promise<string> {
    const waitMs = roundUp(delayMs)
    const name = `weir-delay:${queue}:${waitMs}`
    const options = {
      durable: true,
      messageTtl: waitMs,
      expires: waitMs + delayQueueRestMs,
      deadLetterExchange: '',
      deadLetterRoutingKey: queue,
    }
    await this.#onOwnChannel((channel) => channel.assertQueue(name, options), stop)
    return name
  }

  /** Something that was declared turned out to be gone. */
  forget(kind: 'queue' | 'exchange', name: string): void {
    this.#known.delete(`${kind} ${name}`)
  }

  async #ensure(
    key: string,
    stop: StopSignal,
    declare: (channel: Channel) => Promise<unknown>,
  ): Promise<void> {
    const known = this.#known.get(key)
    if (known !== undefined) return this.#link.ask(known, stop)
    if (this.#known.size >= knownMax) this.#known.clear()
    const declaring = this.#onOwnChannel(declare)
    this.#known.set(key, declaring)
    declaring.catch(() => {
      if (this.#known.get(key) === declaring) this.#known.delete(key)
    })
    return this.#link.ask(declaring, stop)
  }

  async #onOwnChannel(declare: (channel: Channel) => Promise<unknown>, stop?: StopSignal): Promise<void> {
    const model = await this.#link.model(stop)
    const channel = await this.#link.ask(model.createChannel())
    // The refusal itself rejects the declaration.
    channel.on('error', () => {})
    await this.#link.ask(declare(channel), stop)
    channel.close().catch(() => {})
  }
}

/**
 * To three digits, so that no more than a few thousand queues can come to be for one that is delayed: at most 1 %
 * late, never early.
 */
function roundUp(delayMs: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(delayMs)) - 2)
  return Math.ceil(delayMs / step) * step
}
