import type { StopSignal } from '../../../core/cancellation.ts'
import type { Clock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import { Inbox } from './inbox.ts'
import type { RabbitLink } from './rabbit-link.ts'
import { Untaken } from './untaken.ts'

/** How many queues may be received from at the same time: each takes a channel, and RabbitMQ has 2047 by default. */
const inboxesMax = 1000

/** The channels that queues are received on, one for each queue, so that none can break another's. */
export class Inboxes {
  readonly #link: RabbitLink
  readonly #clock: Clock
  readonly #open = new Map<string, Promise<Inbox>>()
  readonly #untaken = new Untaken()
  readonly #idle = new Map<string, Inbox>()

  constructor(link: RabbitLink, clock: Clock) {
    this.#link = link
    this.#clock = clock
    link.onLost(() => this.#forget())
  }

  /** Runs `use` with the queue's channel. It stays open as long as somebody uses it, or leases need it. */
  async with<T>(queue: string, stop: StopSignal, use: (inbox: Inbox) => Promise<T>): Promise<T> {
    const inbox = await this.#get(queue, stop)
    this.hold(inbox)
    try {
      return await use(inbox)
    } finally {
      this.release(inbox)
    }
  }

  hold(inbox: Inbox): void {
    inbox.users += 1
    this.#idle.delete(inbox.queue)
  }

  release(inbox: Inbox): void {
    inbox.users -= 1
    if (inbox.users === 0 && !inbox.isDead) this.#idle.set(inbox.queue, inbox)
  }

  async #get(queue: string, stop: StopSignal): Promise<Inbox> {
    const known = this.#open.get(queue)
    if (known !== undefined) {
      const inbox = await this.#link.ask(known, stop)
      if (!inbox.isDead) return inbox
      if (this.#open.get(queue) === known) this.#open.delete(queue)
    }
    const opening = this.#open.get(queue) ?? this.#start(queue)
    return this.#link.ask(opening, stop)
  }

  #start(queue: string): Promise<Inbox> {
    if (this.#open.size >= inboxesMax) this.#closeIdle()
    const opening = this.#create(queue)
    this.#open.set(queue, opening)
    opening.catch(() => {
      if (this.#open.get(queue) === opening) this.#open.delete(queue)
    })
    return opening
  }

  async #create(queue: string): Promise<Inbox> {
    const model = await this.#link.model()
    const channel = await this.#link.ask(model.createChannel())
    const inbox = new Inbox(queue, this.#link, channel, this.#clock, this.#untaken)
    await this.#link.ask(channel.prefetch(1))
    return inbox
  }

  #closeIdle(): void {
    const idle = this.#idle.values().next().value
    if (idle === undefined) {
      throw new WeirError('OVERLOADED', `${inboxesMax} queues are received from already.`, {
        hint: 'Acknowledge what was received, or wait until the leases end.',
        data: { inboxesMax, sent: false },
      })
    }
    this.#idle.delete(idle.queue)
    this.#open.delete(idle.queue)
    idle.close()
  }

  #forget(): void {
    this.#open.clear()
    this.#idle.clear()
  }
}
