import type { SQS } from '@aws-sdk/client-sqs'
import type { StopSignal } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { abandonOn } from '../../shared/abandon-on.ts'
import { AwsAccess } from '../../shared/aws/aws-access.ts'
import { renderAwsEndpoint } from '../../shared/aws/aws-endpoint.ts'
import type { BrokerContext } from '../broker.ts'
import { type BrokerName, createBrokerError, createUnavailable } from '../broker-errors.ts'
import { receiversMax } from '../brokers.ts'
import type { SqsAddress } from './sqs-address.ts'
import type { SqsOptions } from './sqs-options.ts'

/** Its name in messages. */
export const sqsTitle = 'Amazon SQS'
/** Longer than a poll waits. */
const timeoutMs = 30_000
const responseBytesMax = 16 * 1024 * 1024
/** Those that wait for messages, and some that do not wait. */
const connectionsMax = receiversMax + 64

/** One broker's way to SQS. While that is known to be away it is asked for a sign of life before anything is sent. */
export class SqsLink {
  readonly #name: BrokerName
  readonly #access: AwsAccess
  readonly #region: string
  readonly #endpoint: string
  readonly #client: SQS
  #isDown = false
  #isClosed = false

  constructor(
    driver: typeof import('@aws-sdk/client-sqs'),
    { region, endpoint }: SqsAddress,
    options: SqsOptions,
    { name, egress, hostEnv, baseDir, clock }: BrokerContext,
  ) {
    const { credentials, allowPrivate } = options
    this.#name = { name, title: sqsTitle }
    this.#region = region
    this.#endpoint = endpoint ?? renderAwsEndpoint('sqs', region)
    this.#access = new AwsAccess(
      { region, credentials, allowPrivate },
      { egress, hostEnv, baseDir, name, clock, connectionsMax },
    )
    this.#client = new driver.SQS({
      ...this.#access.clientConfig(region, { endpoint, timeoutMs, responseBytesMax }),
      // A queue's URL names the queue, and never decides where a signed request goes.
      useQueueUrlAsEndpoint: false,
    })
  }

  get name(): BrokerName {
    return this.#name
  }

  /**
   * One request. It goes on where nobody waits for it any more: nothing of it is lost then, and `stop` only ends the
   * wait, with its own reason. Rejects with what a caller may see.
   */
  async ask<T>(request: (client: SQS) => Promise<T>, stop?: StopSignal): Promise<T> {
    if (stop?.aborted) throw stop.reason
    const asked = this.#send(request)
    return await (stop === undefined ? asked : abandonOn(stop, asked))
  }

  /** Resolves where SQS answers and credentials can be had; nothing of them is sent. */
  async check(signal: AbortSignal): Promise<void> {
    try {
      await this.#access.check(new Map([[this.#endpoint, 'SQS']]), signal)
      this.#isDown = false
    } catch (thrown) {
      signal.throwIfAborted()
      throw this.#explain(thrown)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#access.close()
  }

  async #send<T>(request: (client: SQS) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw closed(false)
    if (this.#isDown) await this.#probe()
    try {
      return await request(this.#client)
    } catch (thrown) {
      throw this.#explain(this.#access.explain(thrown, 'SQS', this.#region))
    }
  }

  /** Of the call itself nothing was sent where this fails. */
  async #probe(): Promise<void> {
    try {
      await this.check(new AbortController().signal)
    } catch (thrown) {
      if (!(thrown instanceof WeirError) || thrown.code !== 'BROKER_UNAVAILABLE') throw thrown
      throw createUnavailable(this.#name, 'is not reachable', { sent: false, cause: thrown })
    }
  }

  #explain(thrown: unknown): unknown {
    if (!(thrown instanceof WeirError)) return thrown
    const { code, data = {} } = thrown
    const sent = data['sent'] !== false
    if (this.#isClosed) return closed(sent)
    if (code === 'UPSTREAM_UNREACHABLE' || code === 'UPSTREAM_TIMEOUT' || code === 'UPSTREAM_ERROR') {
      this.#isDown = true
      const why = typeof data['cause'] === 'string' ? ` (${data['cause']})` : ''
      return createUnavailable(this.#name, `is not reachable${why}`, { sent, cause: thrown })
    }
    if (code === 'CLOUD_BUSY') {
      return createUnavailable(this.#name, 'throttles, or failed by itself', { sent, cause: thrown })
    }
    if (code !== 'CLOUD_ERROR') return thrown
    return createBrokerError(this.#name, `refused the request (${data['error_code']})`, { cause: thrown })
  }
}

/** The provider's own code of a refusal; undefined for anything else. */
export function refusalOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof WeirError) || thrown.code !== 'BROKER_ERROR') return undefined
  const { cause } = thrown
  return cause instanceof WeirError ? String(cause.data?.['error_code']) : undefined
}

function closed(sent: boolean): WeirError {
  return new WeirError('CONNECTION_UNAVAILABLE', 'The connection is closed.', { data: { sent } })
}
