import type { Producer } from '@platformatic/kafka'
import type { StopSignal } from '../../../core/cancellation.ts'
import type { WeirError } from '../../../core/error.ts'
import type { BrokerConfig, BrokerContext } from '../broker.ts'
import { LinkState } from '../link-state.ts'
import { createClientOptions } from './client-options.ts'
import { explainFailure } from './explain-failure.ts'
import type { KafkaOptions } from './kafka-options.ts'

/** Which broker it is, for messages. */
export const kafkaTitle = 'Kafka'

/** The driver's package, loaded when a broker is opened. */
export type KafkaDriver = typeof import('@platformatic/kafka')

/** What is produced: texts and bytes as they go over the wire. */
export interface Produced {
  readonly topic: string
  readonly key?: Buffer
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** The connections to one cluster, which the driver makes when it needs them, and makes again. */
export class KafkaLink {
  readonly state: LinkState
  readonly driver: KafkaDriver
  readonly #config: BrokerConfig
  #producer: Producer | undefined

  constructor(driver: KafkaDriver, config: BrokerConfig, context: BrokerContext) {
    this.driver = driver
    this.#config = config
    this.state = new LinkState(kafkaTitle, context)
    // There is no one connection that could be down: each request finds out by itself.
    this.state.up()
  }

  /** Resolves once all replicas that are in step have the message. */
  async produce({ topic, key, value, headers }: Produced, stop?: StopSignal): Promise<void> {
    const producer = this.#start()
    const { declare } = this.#config.options as KafkaOptions
    const wanted = { topics: [topic], autocreateTopics: declare }
    // Where not even this much is known of the topic, nothing was sent.
    await this.ask(producer.metadata(wanted), stop, false)
    const entries = Object.entries(headers).map(
      ([name, text]) => [Buffer.from(name), Buffer.from(text)] as const,
    )
    const message = { topic, value, headers: new Map(entries), ...(key === undefined ? {} : { key }) }
    const { ProduceAcks } = this.driver
    await this.ask(
      producer.send({ messages: [message], acks: ProduceAcks.ALL, autocreateTopics: declare }),
      stop,
    )
  }

  /** Resolves if the cluster answers. */
  async check(stop: StopSignal): Promise<void> {
    await this.ask(this.#start().metadata({ topics: [], forceUpdate: true }), stop, false)
  }

  /** Waits for an answer; what Kafka refuses is explained. */
  async ask<T>(work: Promise<T>, stop?: StopSignal, sent = true, timeoutMs = 5000): Promise<T> {
    try {
      return await this.state.bound(work, { timeoutMs, ...(stop === undefined ? {} : { stop }) })
    } catch (thrown) {
      if (stop?.aborted && thrown === stop.reason) throw thrown
      throw this.explain(thrown, sent)
    }
  }

  /** What the driver or Kafka said, as one of Weir's errors. */
  explain(thrown: unknown, sent = true): WeirError {
    if (this.state.isClosed) return this.state.renderDown(sent)
    return explainFailure(this.driver, this.state.broker, thrown, sent)
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    this.state.close()
    await this.#producer?.close().catch(() => {})
  }

  #start(): Producer {
    if (this.state.isClosed) throw this.state.renderDown(false)
    this.#producer ??= new this.driver.Producer(createClientOptions(this.#config))
    return this.#producer
  }
}
