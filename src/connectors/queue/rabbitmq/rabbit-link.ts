import type { Socket } from 'node:net'
import type { ChannelModel, RecoveringChannelModel } from 'amqplib'
import type { StopSignal } from '../../../core/cancellation.ts'
import type { BrokerConfig, BrokerContext } from '../broker.ts'
import { LinkState } from '../link-state.ts'
import { createConnectOptions } from './connect-options.ts'
import { describeDown, explainFailure } from './explain-failure.ts'

/** Which broker it is, for messages. */
export const rabbitTitle = 'RabbitMQ'

const closeTimeoutMs = 1000

/** One connection to RabbitMQ, made when it is first used, and made again by the driver. */
export class RabbitLink {
  readonly state: LinkState
  readonly #amqplib: typeof import('amqplib')
  readonly #config: BrokerConfig
  readonly #context: BrokerContext
  readonly #lost: (() => void)[] = []
  #recovering: Promise<RecoveringChannelModel> | undefined
  #model: ChannelModel | undefined

  constructor(amqplib: typeof import('amqplib'), config: BrokerConfig, context: BrokerContext) {
    this.#amqplib = amqplib
    this.#config = config
    this.#context = context
    this.state = new LinkState(rabbitTitle, context)
  }

  /** Whatever lived on a connection is gone with it. */
  onLost(listener: () => void): void {
    this.#lost.push(listener)
  }

  /** The connection as it is now. */
  async model(stop?: StopSignal): Promise<ChannelModel> {
    if (!this.state.isClosed) this.#recovering ??= this.#connect()
    await this.state.ready(stop)
    return this.#model!
  }

  /** Waits for an answer; what RabbitMQ refuses is explained. */
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

  /** Breaks a connection on which nothing comes back; the driver makes another. */
  drop(): void {
    if (this.#model !== undefined) destroySocket(this.#model)
  }

  /** Safe to call twice. What was being opened is closed as soon as it is open. */
  async close(): Promise<void> {
    this.state.close()
    const model = this.#model
    const recovering = await this.#recovering
    let late: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      late = setTimeout(resolve, closeTimeoutMs)
    })
    await Promise.race([recovering?.close().catch(() => {}), patience])
    clearTimeout(late)
    if (model !== undefined) destroySocket(model)
    this.#lose()
  }

  async #connect(): Promise<RecoveringChannelModel> {
    const { where, how } = createConnectOptions(this.#config)
    const recovering = await this.#amqplib.connect(where, how)
    recovering.on('connect', (model) => {
      this.#model = model
      this.state.up()
    })
    const onDown = (failure: Error) => {
      this.#lose()
      this.state.down(failure, describeDown(failure))
    }
    recovering.on('disconnect', onDown)
    recovering.on('connect-failed', onDown)
    // The same failures come as `disconnect`; without a listener they would end the process.
    recovering.on('error', (failure) => this.#context.log.debug({ err: failure }, 'The connection failed.'))
    return recovering
  }

  #lose(): void {
    this.#model = undefined
    for (const listener of this.#lost) listener()
  }
}

/** The driver has no way to end a connection that does not answer, and sees the end only where it is an error. */
function destroySocket(model: ChannelModel): void {
  const { stream } = model.connection as { readonly stream?: Socket }
  stream?.destroy(new Error('no answer'))
}
