import type { JetStreamManager } from '@nats-io/jetstream'
import type { StopSignal } from '../../../core/cancellation.ts'
import type { NatsLink } from './nats-link.ts'
import type { NatsOptions } from './nats-options.ts'

/** The one consumer of each queue: all of Weir reads by it. */
export const consumerName = 'weir'

/** How many messages of one queue may be leased, or wait for their time, together. */
const pendingMax = 100_000
/** How many queues are remembered as made; then all are forgotten, and looked for anew. */
const knownMax = 10_000
const nanosPerMs = 1_000_000
const alreadyThere = new Set([10013, 10105, 10148])

/** Makes the streams and consumers that queues are: what was received and acknowledged is gone from such a stream. */
export class Streams {
  readonly #link: NatsLink
  readonly #options: NatsOptions
  readonly #ackWaitMs: number
  readonly #known = new Map<string, Promise<void>>()

  constructor(link: NatsLink, options: NatsOptions, ackWaitMs: number) {
    this.#link = link
    this.#options = options
    this.#ackWaitMs = ackWaitMs
  }

  /** A stream to send to. */
  ensureStream(queue: string, stop?: StopSignal): Promise<void> {
    return this.#ensure(`stream ${queue}`, (manager) => this.#makeStream(manager, queue), stop)
  }

  /** A stream, and the consumer to receive by. */
  ensureConsumer(queue: string, stop: StopSignal): Promise<void> {
    return this.#ensure(
      `consumer ${queue}`,
      async (manager) => {
        await this.#makeStream(manager, queue)
        await this.#makeConsumer(manager, queue)
      },
      stop,
    )
  }

  /** A stream or its consumer turned out to be gone. */
  forget(queue: string): void {
    this.#known.delete(`stream ${queue}`)
    this.#known.delete(`consumer ${queue}`)
  }

  /** What streams are made and looked for with. */
  async manager(stop?: StopSignal): Promise<JetStreamManager> {
    const connection = await this.#link.connection(stop)
    return this.#link.ask(this.#link.driver.jetstream.jetstreamManager(connection, { checkAPI: false }), stop)
  }

  #ensure(
    key: string,
    make: (manager: JetStreamManager) => Promise<unknown>,
    stop?: StopSignal,
  ): Promise<void> {
    const known = this.#known.get(key)
    if (known !== undefined) return this.#link.ask(known, stop)
    if (this.#known.size >= knownMax) this.#known.clear()
    const making = this.manager().then(async (manager) => {
      await this.#link.ask(make(manager))
    })
    this.#known.set(key, making)
    making.catch(() => {
      if (this.#known.get(key) === making) this.#known.delete(key)
    })
    return this.#link.ask(making, stop)
  }

  #makeStream({ streams }: JetStreamManager, queue: string): Promise<unknown> {
    const { declare, replicas, queueMessagesMax } = this.#options
    if (!declare) return streams.info(queue)
    const { RetentionPolicy, StorageType, DiscardPolicy } = this.#link.driver.jetstream
    return streams.add({
      name: queue,
      subjects: [queue],
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      num_replicas: replicas,
      max_msgs: queueMessagesMax,
      discard: DiscardPolicy.New,
    })
  }

  /** One that is there already takes over the length of the leases. */
  async #makeConsumer({ consumers }: JetStreamManager, queue: string): Promise<void> {
    const { AckPolicy } = this.#link.driver.jetstream
    const changeable = {
      ack_wait: this.#ackWaitMs * nanosPerMs,
      max_deliver: -1,
      max_ack_pending: pendingMax,
    }
    const config = { durable_name: consumerName, ack_policy: AckPolicy.Explicit, ...changeable }
    try {
      await consumers.add(queue, config)
    } catch (thrown) {
      if (!alreadyThere.has((thrown as { readonly code: number }).code)) throw thrown
      await consumers.update(queue, consumerName, changeable)
    }
  }
}
