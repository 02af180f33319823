import type { NatsConnection } from '@nats-io/transport-node'
import type { StopSignal } from '../../../core/cancellation.ts'
import type { Timer } from '../../../core/clock.ts'
import type { BrokerConfig, BrokerContext } from '../broker.ts'
import { LinkState } from '../link-state.ts'
import { createConnectOptions } from './connect-options.ts'
import { describeDown, explainFailure } from './explain-failure.ts'

/** Which broker it is, for messages. */
export const natsTitle = 'NATS JetStream'

const reconnectMsMax = 1000

/** The driver's packages, loaded when a broker is opened. */
export interface NatsDriver {
  readonly transport: typeof import('@nats-io/transport-node')
  readonly jetstream: typeof import('@nats-io/jetstream/internal')
}

/** One connection to NATS, made when it is first used, and made again until it is closed. */
export class NatsLink {
  readonly state: LinkState
  readonly driver: NatsDriver
  readonly #config: BrokerConfig
  readonly #context: BrokerContext
  #connection: NatsConnection | undefined
  #retry: Timer | undefined
  #isTrying = false
  #failures = 0

  constructor(driver: NatsDriver, config: BrokerConfig, context: BrokerContext) {
    this.driver = driver
    this.#config = config
    this.#context = context
    this.state = new LinkState(natsTitle, context)
  }

  /** The connection as it is now. */
  async connection(stop?: StopSignal): Promise<NatsConnection> {
    if (this.#connection === undefined && this.#retry === undefined) void this.#connect()
    await this.state.ready(stop)
    return this.#connection!
  }

  /** Waits for an answer; what NATS refuses is explained. */
  async ask<T>(work: Promise<T>, stop?: StopSignal): Promise<T> {
    try {
      return await this.state.bound(work, {
        ...(stop === undefined ? {} : { stop }),
        onStall: () => this.drop(),
      })
    } catch (thrown) {
      if (stop?.aborted && thrown === stop.reason) throw thrown
      throw this.state.isClosed ? this.state.renderDown(true) : explainFailure(this.state.broker, thrown)
    }
  }

  /** Breaks a connection on which nothing comes back; another is made. */
  drop(): void {
    this.#connection?.close().catch(() => {})
  }

  /** Safe to call twice. What was being opened is closed as soon as it is open. */
  async close(): Promise<void> {
    this.state.close()
    this.#retry?.cancel()
    await this.#connection?.close().catch(() => {})
  }

  async #connect(): Promise<void> {
    if (this.#isTrying || this.state.isClosed) return
    this.#isTrying = true
    try {
      const connection = await this.driver.transport.connect(createConnectOptions(this.#config))
      this.#isTrying = false
      if (this.state.isClosed) return await connection.close()
      this.#connection = connection
      this.#failures = 0
      connection.closed().then((failure) => this.#onDown(failure))
      this.state.up()
    } catch (thrown) {
      this.#isTrying = false
      this.#onDown(thrown)
    }
  }

  #onDown(failure: unknown): void {
    this.#connection = undefined
    if (this.state.isClosed) return
    const delayMs = Math.min(reconnectMsMax, 50 * 2 ** Math.min(this.#failures, 10)) + Math.random() * 50
    this.#failures += 1
    this.#retry = this.#context.clock.setTimer(() => {
      this.#retry = undefined
      void this.#connect()
    }, delayMs)
    this.state.down(failure, describeDown(failure))
  }
}
