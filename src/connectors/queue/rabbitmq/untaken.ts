import type { Message } from 'amqplib'

const untakenMax = 10_000

/**
 * Messages that went back without having been delivered to anybody: RabbitMQ marks them as delivered before all the
 * same. The oldest are forgotten first, and those without an id are not known; they count as delivered once more.
 */
export class Untaken {
  readonly #keys = new Set<string>()

  add(queue: string, { properties }: Message): void {
    if (properties.messageId === undefined) return
    const [oldest] = this.#keys.size >= untakenMax ? this.#keys : []
    if (oldest !== undefined) this.#keys.delete(oldest)
    this.#keys.add(`${queue} ${properties.messageId}`)
  }

  /** Whether it was among them. */
  delete(queue: string, { properties }: Message): boolean {
    return this.#keys.delete(`${queue} ${properties.messageId}`)
  }
}
